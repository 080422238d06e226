import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeerError } from '../../../../src/base/errors.ts';
import type { PeerListener, SessionReport } from '../../../../src/engine/port.ts';
import type { ServerOptions } from '../../../../src/engine/server/options.ts';
import { ResumableSocket } from '../../../../src/engine/server/resumable-session.ts';
import { Server } from '../../../../src/engine/server/server.ts';
import { TransportName } from '../../../../src/transport/port.ts';
import type { IncomingPacket } from '../../../../src/wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../../../src/wire/engine/packet.ts';
import { FakeClock } from './fake-clock.ts';
import { ScriptedTransport } from './scripted-transport.ts';

const INTERVAL = 25_000;
const TIMEOUT = 20_000;
const WINDOW = 60_000;

/** The packets of a POST whose first message has this index. */
function takePost(session: ResumableSocket, from: number, packets: readonly IncomingPacket[]): void {
  if (!session.mayTake(from)) return;
  let index = from;
  for (const packet of packets) index = session.takePacket(index, packet);
}

/** A session, its first connection, and everything that its listener is told. */
class Stage implements PeerListener {
  readonly clock = new FakeClock();
  readonly server: Server;
  readonly first: ScriptedTransport;
  readonly session: ResumableSocket;
  readonly told: string[] = [];
  readonly got: string[] = [];
  report: SessionReport | null = null;

  constructor(options: ServerOptions = {}, name: TransportName = TransportName.websocket) {
    this.server = new Server(options, this.clock);
    this.first = new ScriptedTransport(name);
    const request = {} as IncomingMessage;
    const { sessionLimits } = this.server;
    this.session = new ResumableSocket('s', this.server, this.first, request, sessionLimits);
    this.server.clients.s = this.session;
    this.server.clientsCount = 1;
    this.session.listener = this;
    this.session.begin();
    if (name !== TransportName.websocket) this.first.drain();
    this.first.take();
  }

  peerMessage(data: string | Uint8Array): void {
    this.got.push(String(data));
  }

  peerInterrupted(reason: string): void {
    this.told.push(`interrupted: ${reason}`);
  }

  peerResumed(gapMs: number): void {
    this.told.push(`resumed after ${gapMs}`);
  }

  peerClosed(reason: string, description: unknown): void {
    this.report = description as SessionReport;
    this.told.push(`closed: ${reason}, ${this.report.end}`);
  }

  send(...messages: string[]): OutgoingPacket[] {
    const packets = messages.map((data) => new OutgoingPacket(PacketType.message, data));
    for (const packet of packets) this.session.sendPackets([packet]);
    return packets;
  }

  attach(count: number, name: TransportName = TransportName.websocket): ScriptedTransport {
    const transport = new ScriptedTransport(name);
    this.session.attach(transport, count);
    return transport;
  }

  get unconfirmed(): unknown[] | undefined {
    return this.report?.unconfirmed.map(({ data }) => data);
  }

  get state(): string {
    const { readyState, machine } = this.session;
    return readyState === 'open' ? machine.state : readyState;
  }
}

/** Brings a session into a state. */
const states: Record<string, () => Stage> = {
  'attached, and its client is known': () => {
    const stage = new Stage();
    stage.first.say('4hello');
    return stage;
  },
  'attached, and its client has said nothing': () => new Stage(),
  detached: () => {
    const stage = new Stage();
    stage.first.say('4hello');
    stage.first.break();
    return stage;
  },
  'closing, behind what a slow client has not read': () => {
    const stage = new Stage();
    stage.first.say('4hello');
    stage.first.takes = false;
    stage.send('late');
    stage.session.close();
    return stage;
  },
};
const network = new Error('ECONNRESET');
const events: Record<string, (stage: Stage) => void> = {
  'the connection breaks': (stage) => stage.first.break(),
  'the connection fails': (stage) => stage.first.break({ by: 'failed', error: network }),
  'the client leaves': (stage) => stage.first.break({ by: 'byPeer', closeCode: 1000 }),
  'the page is left': (stage) => stage.first.break({ by: 'byPeer', closeCode: 1001 }),
  'the client closes': (stage) => stage.first.say('1'),
  'the client breaks the protocol': (stage) =>
    stage.first.break({ by: 'failed', error: new PeerError('no', { code: 'X' }) }),
  'the client lies about its count': (stage) => stage.first.say('79'),
  'no pong comes': (stage) => stage.clock.advance(INTERVAL + TIMEOUT + 1_000),
  'a connection is attached': (stage) => void stage.attach(0),
  'the program closes': (stage) => void stage.session.close(),
  'the server closes': (stage) => void stage.server.close(),
  'the window passes': (stage) => stage.clock.advance(WINDOW),
};
const loss = (reason: string) => ['detached', `interrupted: ${reason}`] as const;
const end = (reason: string, how = 'closed') => ['closed', `closed: ${reason}, ${how}`] as const;

/** What comes of each event in each state: the state after it, and what is told in it. */
const table: readonly (readonly [string, string, string, ...string[]])[] = [
  ...(
    [
      ['the connection breaks', ...loss('transport close')],
      ['the connection fails', ...loss('transport error')],
      ['the client leaves', ...end('transport close')],
      ['the page is left', ...end('transport close')],
      ['the client closes', ...end('transport close')],
      ['the client breaks the protocol', ...end('transport error', 'protocol')],
      ['the client lies about its count', ...end('transport error', 'protocol')],
      ['no pong comes', ...loss('ping timeout')],
      ['a connection is attached', 'attached'],
      ['the program closes', ...end('forced close')],
      ['the server closes', ...end('forced close')],
    ] as const
  ).map(([event, ...outcome]) => ['attached, and its client is known', event, ...outcome] as const),
  ...(
    [
      ['the connection breaks', ...end('transport close')],
      ['the connection fails', ...end('transport error')],
      ['no pong comes', ...end('ping timeout')],
      ['a connection is attached', 'attached'],
      ['the program closes', ...end('forced close')],
    ] as const
  ).map(([event, ...outcome]) => ['attached, and its client has said nothing', event, ...outcome] as const),
  ...(
    [
      ['the connection breaks', 'detached'],
      ['the client leaves', 'detached'],
      ['the client closes', 'detached'],
      ['no pong comes', 'detached'],
      ['a connection is attached', 'attached', 'resumed after 0'],
      ['the program closes', ...end('forced close')],
      ['the server closes', ...end('forced close')],
      ['the window passes', ...end('transport close', 'expired')],
    ] as const
  ).map(([event, ...outcome]) => ['detached', event, ...outcome] as const),
  ...(
    [
      ['the connection breaks', ...end('transport close')],
      ['the connection fails', ...end('transport error')],
      ['no pong comes', ...end('ping timeout')],
      ['a connection is attached', ...end('forced close')],
      ['the program closes', 'closing'],
      ['the server closes', ...end('forced close')],
    ] as const
  ).map(
    ([event, ...outcome]) => ['closing, behind what a slow client has not read', event, ...outcome] as const,
  ),
];

describe('a session that is', () => {
  it.each(table)('%s: %s -> %s %s', (state, event, after, ...told) => {
    const stage = states[state]!();
    stage.told.length = 0;
    events[event]!(stage);
    expect([stage.state, ...stage.told]).toEqual([after, ...told]);
    if (after !== 'closed') return;
    // Over once, and nothing is left of it.
    stage.server.close();
    stage.clock.advance(10 * WINDOW);
    expect(stage.told).toHaveLength(1);
    expect([stage.server.clientsCount, stage.clock.timerCount, Object.keys(stage.server.clients)]).toEqual([
      0,
      0,
      [],
    ]);
  });
});

describe('time', () => {
  it('without a connection is limited anew after each connection, and told', () => {
    const stage = states.detached!();
    stage.clock.advance(WINDOW - 1);
    const second = stage.attach(0);
    second.break();
    stage.clock.advance(WINDOW - 1);
    expect(stage.state).toBe('detached');
    stage.send('a');
    stage.clock.advance(1);
    expect(stage.told.slice(1)).toEqual([
      `resumed after ${WINDOW - 1}`,
      'interrupted: transport close',
      'closed: transport close, expired',
    ]);
    expect(stage.unconfirmed).toEqual(['a']);
    expect(stage.report?.message).toContain('1 message is unconfirmed');
  });

  it('between pongs is limited on each connection, and not while there is none', () => {
    const stage = states.detached!();
    stage.clock.advance(INTERVAL);
    const second = stage.attach(0);
    second.take();
    stage.clock.advance(INTERVAL - 1_000);
    expect(second.take()).toEqual([]);
    stage.clock.advance(1_000);
    expect(second.take()).toEqual(['2']);
    second.say('3');
    stage.clock.advance(INTERVAL);
    expect(second.take()).toEqual(['2']);
    stage.clock.advance(TIMEOUT + 1_000);
    expect(stage.state).toBe('detached');
    expect(second).toMatchObject({ isClosed: true, code: null });
  });

  it('is not started by a late pong of a connection that was given up', () => {
    const stage = states.detached!();
    takePost(stage.session, 1, [{ type: PacketType.pong, data: '' }]);
    stage.clock.advance(WINDOW - 1);
    expect(stage.told).toEqual(['interrupted: transport close']);
  });

  it('of a ping is a good moment to say the count', () => {
    const stage = states['attached, and its client is known']!();
    stage.clock.advance(INTERVAL);
    expect(stage.first.take()).toEqual(['71', '2']);
  });

  it('of a row of polls is measured from its last GET', () => {
    const stage = new Stage({}, TransportName.polling);
    for (let count = 0; count < 5; count++) {
      stage.session.attach(stage.first, 0);
      stage.first.drain();
      stage.clock.advance(INTERVAL - 1);
      expect(stage.first.take()).toEqual([]);
    }
    stage.clock.advance(1_000);
    expect(stage.first.take()).toEqual(['70 2']);
  });
});

describe('messages', () => {
  it('are the same instances when they are sent again, so that what was encoded serves again', () => {
    const stage = states['attached, and its client is known']!();
    const packets = stage.send('a', 'b');
    stage.first.break();
    const second = stage.attach(0);
    expect(second.instances.slice(1)).toEqual(packets);
    expect(second.instances[1]).toBe(packets[0]);
  });

  it('go straight to a stream that takes them, as the list that was given', () => {
    const stage = states['attached, and its client is known']!();
    const lists: unknown[] = [];
    stage.first.send = (list) => lists.push(list);
    const list = [new OutgoingPacket(PacketType.message, 'a')];
    stage.session.sendPackets(list);
    expect(lists).toHaveLength(1);
    expect(lists[0]).toBe(list);
  });

  it('wait for a stream that takes none, and for a connection', async () => {
    const stage = states['attached, and its client is known']!();
    stage.first.takes = false;
    stage.send('a', 'b');
    expect([stage.first.take(), stage.session.isWritable]).toEqual([[], false]);
    expect(stage.session.writeBuffer).toHaveLength(2);
    stage.first.drain();
    expect([stage.first.take(), stage.session.isWritable]).toEqual([['4a', '4b'], true]);
    stage.first.break();
    stage.send('c');
    expect([stage.session.isOpen, stage.session.isWritable]).toEqual([true, false]);
    expect(stage.attach(2).take()).toEqual(['71', '4c']);
  });

  it('that a listener of flush sends go behind those that are being flushed', () => {
    const stage = states['attached, and its client is known']!();
    stage.session.once('flush', () => stage.send('second'));
    stage.send('first');
    expect(stage.first.take()).toEqual(['4first', '4second']);
  });

  it('tell their sender when they were passed on, after an interruption too', async () => {
    const stage = states.detached!();
    const sent: string[] = [];
    stage.session.send('a', () => sent.push('a'));
    await Promise.resolve();
    expect(sent).toEqual([]);
    stage.attach(0);
    await Promise.resolve();
    expect(sent).toEqual(['a']);
  });

  it('of a client are passed on once, over whichever connection they come', () => {
    const stage = new Stage();
    stage.first.say('4a', '4b');
    const second = stage.attach(0);
    stage.first.say('4of the old connection');
    second.say('4c');
    const take = (from: number, ...data: string[]) =>
      takePost(
        stage.session,
        from,
        data.map((text) => ({ type: PacketType.message, data: text })),
      );
    take(0, 'a', 'b', 'c', 'd');
    take(5, 'one is missing');
    second.say('4d', '4e');
    expect(stage.got).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('are not taken any more while the session closes, so their count says that they were not', () => {
    const stage = states['closing, behind what a slow client has not read']!();
    stage.first.say('4too late');
    stage.first.drain();
    expect(stage.first.take()).toEqual(['4late', '71', '1']);
    expect(stage.server.endedSessions.find('s')).toEqual({ end: 'closed', received: 1 });
  });

  it('may be sent and closed in what is told of them', () => {
    const stage = states.detached!();
    stage.send('a');
    stage.peerResumed = () => {
      stage.send('b');
      stage.session.close();
    };
    expect(stage.attach(0).take()).toEqual(['71', '4a', '4b', '71', '1']);
    expect(stage.state).toBe('closed');
  });
});

describe('over any sequence of losses and takeovers', () => {
  /** A client that keeps the protocol, over connections that deliver some of what they are given. */
  class Client {
    readonly stage: Stage;
    readonly got: string[] = [];
    /** Everything it ever wanted to send. */
    readonly sent: string[] = [];
    transport: ScriptedTransport;
    /** Index of the next message over the present connection, from the server. */
    index = 0;
    /** What of our messages goes next over the present stream; `null` before the server\'s count is known. */
    next: number | null = 0;

    constructor(stage: Stage) {
      this.stage = stage;
      this.transport = stage.first;
    }

    /** Reads what the connection has, all or only the beginning of it. */
    read(most = Number.POSITIVE_INFINITY): void {
      const texts = this.transport.take();
      for (const text of texts.slice(0, most)) {
        for (const packet of text.split(' ')) this.#packet(packet);
      }
      if (texts.length > most) this.transport.sent.unshift(...texts.slice(most));
    }

    #packet(packet: string): void {
      const data = packet.slice(1);
      if (packet.startsWith('4')) {
        if (this.index++ === this.got.length) this.got.push(data);
      } else if (packet.startsWith('7')) {
        this.next ??= Number(data);
      }
    }

    write(most: number): void {
      if (this.transport.name !== TransportName.websocket) {
        const from = Math.min(this.sent.length, this.next ?? 0);
        takePost(
          this.stage.session,
          from,
          this.sent.slice(from, from + most).map((data) => ({ type: PacketType.message, data })),
        );
      } else if (this.next !== null) {
        for (const data of this.sent.slice(this.next, this.next + most)) {
          this.next++;
          this.transport.say(`4${data}`);
        }
      }
    }

    attach(name: TransportName): void {
      const isNext =
        name === TransportName.polling && this.transport.name === name && this.stage.session.isAttached;
      if (!isNext) this.transport = new ScriptedTransport(name);
      // The answer of a GET counts from that GET's own `attach`; one that was given up is not read.
      this.transport.take();
      this.stage.session.attach(this.transport, this.got.length);
      if (name === TransportName.polling) this.transport.drain();
      this.index = this.got.length;
      this.next = null;
    }
  }

  const step = fc.oneof(
    fc.record({ do: fc.constant('send' as const), n: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ do: fc.constant('say' as const), n: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ do: fc.constant('read' as const), n: fc.integer({ min: 0, max: 30 }) }),
    fc.record({ do: fc.constant('confirm' as const), n: fc.constant(0) }),
    fc.record({ do: fc.constant('break' as const), n: fc.constant(0) }),
    fc.record({ do: fc.constant('block' as const), n: fc.constant(0) }),
    fc.record({ do: fc.constant('drain' as const), n: fc.constant(0) }),
    fc.record({ do: fc.constant('websocket' as const), n: fc.constant(0) }),
    fc.record({ do: fc.constant('poll' as const), n: fc.constant(0) }),
    fc.record({ do: fc.constant('wait' as const), n: fc.integer({ min: 0, max: 20_000 }) }),
  );

  it('each side gets each message of the other once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const stage = new Stage();
        const client = new Client(stage);
        let count = 0;
        client.sent.push('hello');
        client.write(1);
        const sent: string[] = [];
        /** Since a connection began: less than the window, in which the session must not end. */
        let waitedMs = 0;
        for (const { do: what, n } of steps) {
          if (what === 'websocket' || what === 'poll') waitedMs = 0;
          if (what === 'send') {
            const messages = Array.from({ length: n }, () => `s${count++}`);
            sent.push(...messages);
            stage.send(...messages);
          } else if (what === 'say') {
            for (let i = 0; i < n; i++) client.sent.push(`c${count++}`);
            client.write(n);
          } else if (what === 'read') client.read(n);
          else if (what === 'confirm') client.transport.say(`7${client.got.length}`);
          else if (what === 'break') client.transport.break();
          else if (what === 'block') client.transport.takes = false;
          else if (what === 'drain' && client.transport.name === TransportName.websocket)
            client.transport.drain();
          else if (what === 'websocket') client.attach(TransportName.websocket);
          else if (what === 'poll') client.attach(TransportName.polling);
          else if (what === 'wait' && waitedMs + n < WINDOW) {
            waitedMs += n;
            stage.clock.advance(n);
          }
          await Promise.resolve();
          expect(client.got).toEqual(sent.slice(0, client.got.length));
          expect(stage.got).toEqual(client.sent.slice(0, stage.got.length));
          expect(stage.state).not.toBe('closed');
        }
        client.attach(TransportName.websocket);
        client.read();
        client.write(Number.POSITIVE_INFINITY);
        expect(client.got).toEqual(sent);
        expect(stage.got).toEqual(client.sent);
        client.transport.say(`7${sent.length}`);
        expect(stage.session.machine.unconfirmedBytes).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
