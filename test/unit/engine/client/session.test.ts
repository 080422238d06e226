import { describe, expect, it } from 'vitest';
import { EngineSocket } from '../../../../src/engine/client/socket.ts';
import { type EngineOptions, type ScriptedTransport, scriptedPlatform, turn } from './scripted.ts';

const offer = { session: { version: 1, windowMs: 60_000, transports: ['websocket', 'polling'] } };

/** A session that the server has opened over the first transport. */
function begin(opts: EngineOptions = {}, handshake: object = offer) {
  const platform = scriptedPlatform();
  const socket = new EngineSocket(platform, 'http://localhost', {
    transports: ['websocket'],
    randomizationFactor: 0,
    ...opts,
  });
  const events: unknown[][] = [];
  for (const name of ['message', 'interrupted', 'resumed', 'upgrade', 'error', 'close'] as const) {
    socket.on(name, (...args: unknown[]) => events.push([name, ...args]));
  }
  const first = platform.last;
  first.shakeHands(handshake);
  return { platform, socket, events, first, names: () => events.map(([name]) => name) };
}

const attachOf = (transport: ScriptedTransport) => new URL(transport.target.url()).searchParams.get('attach');

/** The server accepts a connection and says its count. */
function accept(transport: ScriptedTransport, count: string): void {
  transport.target.url();
  transport.accept();
  transport.receive(`7${count}`);
}

describe('what is announced and asked for', () => {
  it.each([
    ['the extension, before there is a session', {}, true],
    ['nothing, when it is switched off', { session: false }, false],
  ])('is %s', (_, opts, isAnnounced) => {
    const platform = scriptedPlatform();
    new EngineSocket(platform, 'http://localhost', { ...opts, transports: ['websocket'] });
    expect(platform.last.target.url().includes('tautline=1')).toBe(isAnnounced);
  });

  it('is the count with each GET and the index with each POST, and who attaches says so', async () => {
    const { platform, socket, first } = begin({ transports: ['polling'] });
    const query = (transport: ScriptedTransport, isPost = false) =>
      new URL(transport.target.url(isPost)).search.replace(/&t=.*/, '').slice(7);
    expect(query(first)).toBe('transport=polling&sid=sid-1&attach=0');
    first.receive('4a');
    first.receive(Uint8Array.of(1));
    expect(query(first)).toBe('transport=polling&sid=sid-1&attach=2');
    first.drainsItself = false;
    socket.send('x').send('y');
    expect(query(first, true)).toBe('transport=polling&sid=sid-1&from=0');
    first.receive('71');
    first.drain();
    expect(query(first, true)).toBe('transport=polling&sid=sid-1&from=1');
    first.fail();
    expect(query(platform.last)).toBe('transport=polling&sid=sid-1&attach=2&first=1');
  });

  it('is nothing of it where the server does not offer sessions', () => {
    const { first, names } = begin({}, {});
    expect(first.target.url()).not.toMatch(/attach|tautline/);
    expect(first.target.isExtended).toBe(false);
    first.fail();
    expect(names()).toEqual(['error', 'close']);
  });
});

describe('a lost connection', () => {
  it('is followed by another at once, which brings what is missing and gets what is not confirmed', async () => {
    const { platform, socket, first, events } = begin();
    first.receive('4one');
    socket.send('a').send('b');
    await turn();
    first.receive('71');
    first.fail('cut');
    expect(socket.readyState).toBe('open');
    socket.send('c');
    const second = platform.last;
    expect(second).not.toBe(first);
    expect(attachOf(second)).toBe('1');
    platform.clockUsed.advance(40);
    second.accept();
    expect(second.sent).toEqual([]);
    second.receive('71');
    second.receive('4two');
    await turn();
    expect(second.sent).toEqual(['4b', '4c']);
    expect(events).toMatchObject([
      ['message', 'one'],
      ['interrupted', 'transport error', { message: 'cut' }],
      ['resumed', 40],
      ['message', 'two'],
    ]);
    expect(socket.decision.map(({ transport, outcome }) => `${transport} ${outcome}`)).toEqual([
      'websocket started',
      'websocket opened',
      'websocket lost',
      'websocket started',
      'websocket opened',
    ]);
  });

  it('lets nothing through to the old one, nor from it', async () => {
    const { platform, socket, first, events } = begin();
    first.fail();
    expect(first.state).toBe('terminated');
    expect(socket._isWritable).toBe(false);
    socket.send('a');
    accept(platform.last, '0');
    first.sink.transportReceived('4', 'late');
    await turn();
    expect([first.sent, platform.last.sent]).toEqual([[], ['4a']]);
    expect(events.filter(([name]) => name === 'message')).toEqual([]);
  });

  it('is tried again by the numbers of the Manager, and at once when the page is online', () => {
    const { platform, first } = begin({ reconnectionDelay: 100, reconnectionDelayMax: 300 });
    first.receive('4progress');
    first.fail();
    for (const delay of [100, 200, 300, 300]) {
      const made = platform.transportsMade.length;
      platform.last.fail();
      platform.clockUsed.advance(delay - 1);
      expect(platform.transportsMade).toHaveLength(made);
      platform.clockUsed.advance(1);
      expect(platform.transportsMade).toHaveLength(made + 1);
    }
    platform.last.fail();
    const made = platform.transportsMade.length;
    platform.firePage('online');
    expect(platform.transportsMade).toHaveLength(made + 1);
  });

  it('is not followed at once when the one before was of no use either', () => {
    const { platform, first } = begin();
    first.receive('4progress');
    first.fail();
    accept(platform.last, '0');
    const made = platform.transportsMade.length;
    platform.last.fail();
    expect(platform.transportsMade).toHaveLength(made);
    platform.clockUsed.advance(1000);
    expect(platform.transportsMade).toHaveLength(made + 1);
  });

  it('may hang while another one is tried: an attempt is given up after 10 s', () => {
    const { platform, first } = begin();
    first.receive('4progress');
    first.fail();
    const hanging = platform.last;
    platform.clockUsed.advance(10_000);
    expect(hanging.state).toBe('closed');
    expect(platform.last).not.toBe(hanging);
  });

  it.each([
    ['the heartbeat', 'ping timeout', (s: ReturnType<typeof begin>) => s.platform.clockUsed.advance(45_000)],
    [
      'the page going offline',
      'transport close',
      (s: ReturnType<typeof begin>) => s.platform.firePage('offline'),
    ],
    [
      'a WebSocket’s close code',
      'transport close',
      (s: ReturnType<typeof begin>) => s.first.end({ by: 'byPeer', closeCode: 1006 }),
    ],
  ])('is found by %s', (_, reason, happen) => {
    const scene = begin();
    happen(scene);
    expect(scene.events[0]!.slice(0, 2)).toEqual(['interrupted', reason]);
    expect(scene.socket.readyState).toBe('open');
    expect(scene.platform.transportsMade.length).toBe(2);
  });
});

describe('duplicates', () => {
  it('are skipped when an answer was lost on the way', () => {
    const { platform, first, events } = begin();
    first.receive('4a');
    first.fail();
    const second = platform.last;
    accept(second, '0');
    second.receive('4b');
    expect(events.filter(([name]) => name === 'message')).toEqual([
      ['message', 'a'],
      ['message', 'b'],
    ]);
  });

  it('are skipped when the old connection went on bringing messages', () => {
    const { platform, first, events, socket } = begin();
    platform.firePage('online');
    const second = platform.last;
    expect(attachOf(second)).toBe('0');
    first.receive('4a');
    second.accept();
    first.receive('4b');
    second.receive('70');
    for (const text of ['a', 'b', 'c']) second.receive(`4${text}`);
    expect(events).toEqual([
      ['message', 'a'],
      ['message', 'b'],
      ['message', 'c'],
    ]);
    expect(first.state).toBe('terminated');
    expect(socket.transport).toBe(second);
  });

  it('are known by the index at which a server says that it begins', () => {
    const { platform, first, events } = begin();
    platform.firePage('online');
    const second = platform.last;
    expect(attachOf(second)).toBe('0');
    first.receive('4a');
    second.accept();
    second.receive('70,1');
    second.receive('4b');
    expect(events.map(([, text]) => text)).toEqual(['a', 'b']);
  });
});

describe('a POST', () => {
  it('whose answer is lost is sent again over another connection, from the server’s count on', async () => {
    const { platform, socket, first } = begin({ transports: ['polling'] });
    first.receive('4progress');
    first.drainsItself = false;
    socket.send('a').send('b').send('c');
    first.receive('71');
    first.drain();
    expect(first.batches).toEqual([['4a'], ['4b', '4c']]);
    first.fail('xhr post error');
    accept(platform.last, '2');
    expect(platform.last.batches).toEqual([['4c']]);
  });

  it('that was not taken makes the client begin again at the count answered', async () => {
    const { platform, socket, first, events } = begin({ transports: ['polling'] });
    first.receive('4progress');
    socket.send('a');
    // The answer, which confirms nothing.
    first.receive('70');
    await turn();
    expect(events[1]!.slice(0, 2)).toEqual(['interrupted', 'transport error']);
    accept(platform.last, '0');
    expect(platform.last.batches).toEqual([['4a']]);
  });
});

describe('the heartbeat', () => {
  it('is whatever is heard: who polls often gets no ping', () => {
    const { platform, first, names } = begin({ transports: ['polling'] });
    for (let i = 0; i < 10; i++) {
      platform.clockUsed.advance(20_000);
      first.receive(i % 2 ? '4x' : '6');
    }
    expect(names()).not.toContain('interrupted');
    platform.clockUsed.advance(45_000);
    expect(names()).toContain('interrupted');
  });
});

describe('counts', () => {
  it('are told after 32 messages, and in front of a pong when they are new', async () => {
    const { first } = begin();
    for (let i = 0; i < 32; i++) first.receive('4x');
    await turn();
    expect(first.sent).toEqual(['732']);
    first.receive('2');
    await turn();
    first.receive('4x');
    first.receive('2');
    await turn();
    expect(first.sent).toEqual(['732', '3', '733', '3']);
  });

  it.each([
    ['confirms what was never sent', '71', 'SESSION_ERR_CONFIRMED_TOO_MUCH'],
    ['is no count', '7x', 'SESSION_ERR_INVALID_COUNT'],
  ])('a server whose count %s ends the session', (_, packet, code) => {
    const { first, events } = begin();
    first.receive(packet);
    expect(events.at(-1)).toMatchObject(['close', 'transport error', { code }]);
  });

  it('a server that leaves out messages ends the session', () => {
    const { platform, events, first } = begin();
    first.fail();
    platform.last.target.url();
    platform.last.accept();
    platform.last.receive('70,3');
    platform.last.receive('4the fourth');
    expect(events.slice(1)).toMatchObject([
      ['resumed', 0],
      ['close', 'transport error', { code: 'SESSION_ERR_GAP', unconfirmed: [] }],
    ]);
  });

  it('that a POST was answered with may overtake the one that attaches: another connection is asked for', () => {
    const { platform, socket, first, names } = begin({ transports: ['polling', 'websocket'] });
    const late = platform.last;
    first.drainsItself = false;
    socket.send('a');
    first.receive('71');
    first.drain();
    accept(late, '0');
    expect([late.state, names()]).toEqual(['terminated', []]);
    socket.send('b');
    expect(first.sent).toEqual(['4a', '4b']);
    platform.clockUsed.advance(1000);
    const again = platform.last;
    accept(again, '1');
    expect(again.sent).toEqual(['4b']);
  });
});

describe('a connection that another one has replaced', () => {
  const replace = (transport: ScriptedTransport) => transport.end({ by: 'byPeer', closeCode: 4002 });

  it('is attached again once, one transport at a time; the session is given up when that happens again', () => {
    const { platform, events, first, socket } = begin({ transports: ['websocket', 'polling'] });
    first.receive('4progress');
    replace(first);
    platform.clockUsed.advance(300);
    expect(platform.transportsMade.slice(1).map(({ name }) => name)).toEqual(['websocket']);
    accept(platform.last, '0');
    replace(platform.last);
    expect(events.map(([name]) => name)).toEqual(['message', 'interrupted', 'resumed', 'close']);
    expect(events.at(-1)).toMatchObject(['close', 'transport close', { description: 'connection replaced' }]);
    expect(socket.readyState).toBe('closed');
  });

  it('is attached again as often as it happens after a while', () => {
    const { platform, first, socket } = begin();
    replace(first);
    for (let i = 0; i < 3; i++) {
      expect(platform.transportsMade).toHaveLength(i + 2);
      accept(platform.last, '0');
      platform.clockUsed.advance(10_000);
      replace(platform.last);
    }
    expect(socket.readyState).toBe('open');
  });
});

describe('a count that may not have arrived', () => {
  it('is not taken for told by an attempt to attach that comes to nothing', async () => {
    const { platform, first } = begin();
    first.receive('4one');
    platform.firePage('online');
    expect(attachOf(platform.last)).toBe('1');
    first.receive('2');
    await turn();
    expect(first.sent).toEqual(['71', '3']);
  });

  it('is told once more over the connection that takes over, whatever the one before was told last', async () => {
    const { platform, first } = begin({ transports: ['polling', 'websocket'] });
    const upgrade = platform.last;
    upgrade.target.url();
    first.receive('4one');
    first.target.url();
    upgrade.accept();
    upgrade.receive('70');
    upgrade.receive('4one');
    upgrade.receive('2');
    await turn();
    expect(upgrade.sent).toEqual(['71', '3']);
  });
});

describe('a POST that is never answered', () => {
  it('is sent again after the time of the heartbeat, though the polls beside it are answered', async () => {
    const { platform, socket, first, names } = begin({ transports: ['polling'] });
    first.drainsItself = false;
    socket.send('a');
    for (let i = 0; i < 9; i++) {
      expect(names()).toEqual([]);
      platform.clockUsed.advance(5000);
      first.receive('70');
    }
    expect(names()).toEqual(['interrupted']);
    accept(platform.last, '0');
    expect(platform.last.sent).toEqual(['4a']);
  });
});

describe('more than a session keeps unconfirmed', () => {
  it.each([
    ['messages', { bufferMessages: 2 }, ['a', 'b', 'c', 'd', 'e', 'f']],
    ['bytes', { bufferBytes: 5 }, ['aaa', 'bb', 'c', 'dddd']],
    ['bytes, one alone above the limit', { bufferBytes: 1 }, ['aaa', 'bb', 'c']],
  ])('%s: the rest waits, in order, and goes on as it is confirmed', async (_, session, messages) => {
    const { socket, first, names } = begin({ session });
    const drained: number[] = [];
    socket.on('drain', () => drained.push(first.sent.length));
    for (const message of messages) socket.send(message);
    await turn();
    let confirmed = 0;
    while (confirmed < messages.length) {
      expect(first.sent.length).toBeGreaterThan(confirmed);
      expect(first.sent.length).toBeLessThan(confirmed + 3);
      expect(socket.writeBuffer.length).toBe(messages.length - first.sent.length);
      confirmed = first.sent.length;
      first.receive(`7${confirmed}`);
      await turn();
    }
    expect(first.sent).toEqual(messages.map((message) => `4${message}`));
    expect([drained, names()]).toEqual([[messages.length], []]);
  });

  it('is waited for by no pong and no count', async () => {
    const { socket, first } = begin({ session: { bufferMessages: 1 } });
    socket.send('a').send('b').send('c');
    await turn();
    first.receive('4hello');
    first.receive('2');
    await turn();
    expect(first.sent).toEqual(['4a', '71', '3']);
    first.receive('71');
    await turn();
    expect(first.sent).toEqual(['4a', '71', '3', '4b']);
  });

  it('goes over the next connection, behind what is sent again', async () => {
    const { platform, socket, first } = begin({ session: { bufferMessages: 2 } });
    for (const message of ['a', 'b', 'c', 'd', 'e']) socket.send(message);
    await turn();
    first.fail();
    socket.send('f');
    const second = platform.last;
    accept(second, '1');
    await turn();
    expect(second.sent).toEqual(['4b', '4c']);
    for (const count of ['73', '75']) {
      second.receive(count);
      await turn();
    }
    expect(second.sent).toEqual(['4b', '4c', '4d', '4e', '4f']);
  });

  it('goes over polling with each answer, numbered right', async () => {
    const { socket, first, names } = begin({ transports: ['polling'], session: { bufferMessages: 2 } });
    first.drainsItself = false;
    for (const message of ['a', 'b', 'c', 'd', 'e']) socket.send(message);
    const from = () => new URL(first.target.url(true)).searchParams.get('from');
    const seen = [from()];
    for (const count of ['71', '73', '75']) {
      first.receive(count);
      first.drain();
      seen.push(from());
    }
    expect(first.batches).toEqual([['4a'], ['4b', '4c'], ['4d', '4e']]);
    expect([seen, names()]).toEqual([['0', '1', '3', '5'], []]);
  });

  it('waits for the handshake too, and is told as unsent when the session ends', () => {
    const platform = scriptedPlatform();
    const opts = { transports: ['websocket'], session: { bufferMessages: 2 } };
    const socket = new EngineSocket(platform, 'http://localhost', opts);
    const ends: unknown[] = [];
    socket.on('close', (_reason, details) => ends.push(details));
    for (const message of ['a', 'b', 'c', 'd']) socket.send(message);
    platform.last.shakeHands(offer);
    expect([socket.readyState, platform.last.sent]).toEqual(['open', ['4a', '4b']]);
    platform.last.fail();
    platform.clockUsed.advance(60_000);
    expect(ends).toMatchObject([{ unconfirmed: ['a', 'b'], unsent: ['c', 'd'] }]);
  });

  it('gives way to nothing volatile', async () => {
    const { socket, first } = begin({ session: { bufferMessages: 1 } });
    expect(socket._isWritable).toBe(true);
    socket.send('a').send('b');
    await turn();
    expect([first.isWritable, socket._isWritable]).toEqual([true, false]);
  });

  it('is sent before the session closes', async () => {
    const { socket, first, names } = begin({ session: { bufferMessages: 1 } });
    socket.send('a').send('b').close();
    await turn();
    expect([first.sent, names()]).toEqual([['4a'], []]);
    first.receive('71');
    await turn();
    expect([first.sent, names()]).toEqual([['4a', '4b'], ['close']]);
  });
});

it('a WebSocket that has opened carries nothing before it has said its handshake', async () => {
  const platform = scriptedPlatform();
  const socket = new EngineSocket(platform, 'http://localhost', { transports: ['websocket'] });
  platform.last.accept();
  socket.send('a');
  expect(platform.last.sent).toEqual([]);
  platform.last.shakeHands(offer);
  expect(platform.last.sent).toEqual(['4a']);
});

describe('the end of a session', () => {
  it('comes when no connection was had within the window, and tells what is unconfirmed and what never left', async () => {
    const { platform, socket, first, events } = begin();
    socket.send('confirmed').send('sent');
    await turn();
    first.receive('71');
    first.fail('cut');
    socket.send('waiting');
    platform.clockUsed.advance(59_999);
    expect(socket.readyState).toBe('open');
    platform.clockUsed.advance(1);
    expect(events.at(-1)).toMatchObject([
      'close',
      'transport error',
      {
        description: 'session expired',
        context: { message: 'cut' },
        unconfirmed: ['sent'],
        unsent: ['waiting'],
      },
    ]);
    expect(platform.clockUsed.delays).toEqual([]);
  });

  it('comes when the server does not know it any more, which says how much it had received', async () => {
    const { platform, socket, first, events } = begin();
    socket.send('a').send('b');
    await turn();
    first.fail();
    platform.last.end({ by: 'byPeer', closeCode: 4001, closeReason: 'expired 1' });
    expect(events.at(-1)).toMatchObject(['close', 'transport error', { unconfirmed: ['b'] }]);
    expect(socket.readyState).toBe('closed');
  });

  it('comes when the server says so', async () => {
    const { first, events } = begin();
    first.receive('1');
    await turn();
    expect(events.at(-1)).toMatchObject(['close', 'transport close', { unconfirmed: [] }]);
  });

  it.each([
    ['while connected', false],
    ['while interrupted', true],
  ])('comes at once when the program closes it %s', (_, isInterrupted) => {
    const { platform, socket, first, names } = begin();
    if (isInterrupted) first.fail();
    socket.close();
    expect(names().at(-1)).toBe('close');
    expect(platform.last.state).toBe('closed');
    expect(platform.clockUsed.delays).toEqual([]);
  });

  it('comes at once with the connection when there is to be no reconnection', () => {
    const { first, names } = begin({ reconnection: false });
    first.fail();
    expect(names()).toEqual(['close']);
  });
});

describe('a check of the connection', () => {
  it.each([
    ['the page is online', 'online', 0, true],
    ['the page is seen again and nothing was heard for five seconds', 'visible', 5000, true],
    ['the page is seen again and the server was heard just now', 'visible', 4999, false],
  ] as const)('when %s', (_, event, quietMs, isChecked) => {
    const { platform, names, first } = begin();
    platform.clockUsed.advance(quietMs);
    platform.firePage(event);
    expect(platform.transportsMade).toHaveLength(isChecked ? 2 : 1);
    // It does not harm what lives.
    if (isChecked) platform.last.fail();
    first.receive('4still there');
    expect(names()).toEqual(['message']);
  });

  it('takes over what is said to be replaced, without an interruption', () => {
    const { platform, names, first } = begin();
    platform.firePage('online');
    first.end({ by: 'byPeer', closeCode: 4002 });
    accept(platform.last, '0');
    platform.last.receive('4x');
    expect(names()).toEqual(['message']);
  });

  it('is made when the machine has slept, and replaces what died meanwhile', () => {
    const { platform, names, socket } = begin();
    platform.clockUsed.sleep(6000);
    platform.clockUsed.advance(5000);
    expect(platform.transportsMade).toHaveLength(2);
    accept(platform.last, '0');
    expect(socket.transport).toBe(platform.last);
    expect(names()).toEqual([]);
  });

  it('is not made when a timer is late and the server was heard meanwhile, as in a background tab', () => {
    const { platform, first } = begin();
    platform.clockUsed.sleep(60_000);
    first.receive('2');
    platform.clockUsed.advance(5000);
    expect(platform.transportsMade).toHaveLength(1);
  });

  it.each(['visible', 'online'] as const)(
    'is made at once on %s while the next attempt is due later',
    (event) => {
      const { platform, first } = begin();
      first.receive('4progress');
      first.fail();
      platform.last.fail();
      const made = platform.transportsMade.length;
      platform.firePage(event);
      expect(platform.transportsMade).toHaveLength(made + 1);
      accept(platform.last, '0');
      expect(platform.clockUsed.delays.filter((delay) => delay <= 1000)).toEqual([]);
    },
  );
});

describe('the race', () => {
  let origins = 0;

  function race(opts: EngineOptions = {}, origin = `http://host-${++origins}`) {
    const platform = scriptedPlatform(['polling', 'sse', 'websocket']);
    const socket = new EngineSocket(platform, origin, opts);
    const states = () => platform.transportsMade.map(({ name, state }) => `${name} ${state}`);
    return { platform, socket, states, origin };
  }
  const all = { session: { ...offer.session, transports: ['websocket', 'sse', 'polling'] } };

  it('starts the next transport 250 ms after the one before, or when that has failed', () => {
    const { platform, states } = race();
    platform.clockUsed.advance(249);
    expect(states()).toEqual(['websocket opening']);
    platform.clockUsed.advance(1);
    expect(states()).toEqual(['websocket opening', 'sse opening']);
    platform.last.fail();
    expect(states()).toEqual(['websocket opening', 'sse terminated', 'polling opening']);
  });

  it('is won by the first to open; the better one is tried again and attached', () => {
    const { platform, states, socket } = race();
    platform.clockUsed.advance(500);
    const [websocket, sse, polling] = platform.transportsMade;
    polling!.shakeHands(all);
    expect([websocket!.state, sse!.state]).toEqual(['closed', 'closed']);
    expect(states().slice(3)).toEqual(['websocket opening']);
    accept(platform.last, '0');
    expect(socket.transport).toBe(platform.last);
    expect(polling!.state).toBe('terminated');
    expect(states()).toHaveLength(4);
  });

  it('leaves an event stream alone that polls overtook: something gathers what it says', () => {
    const { platform, states, socket } = race();
    platform.last.fail();
    platform.clockUsed.advance(250);
    platform.last.shakeHands(all);
    expect(socket.decision.at(-2)).toMatchObject({
      transport: 'sse',
      outcome: 'overtaken',
      reason: 'polling',
    });
    expect(states()).toEqual(['websocket terminated', 'sse closed', 'polling open']);
  });

  it('takes the session back from an event stream that says nothing for a second', () => {
    const { platform, states, socket } = race({ transports: ['polling', 'sse'] });
    platform.last.shakeHands(all);
    platform.clockUsed.advance(999);
    expect(states()).toEqual(['polling open', 'sse opening']);
    platform.clockUsed.advance(1);
    expect(states()).toEqual(['polling open', 'sse terminated', 'polling opening']);
    expect(socket.decision.at(-2)).toMatchObject({
      transport: 'sse',
      outcome: 'failed',
      reason: { code: 'TRANSPORT_ERR_TIMEOUT', step: 'open' },
    });
    const link = platform.last;
    expect(new URL(link.target.url()).searchParams.get('first')).toBe('1');
    accept(link, '0');
    expect(socket.transport).toBe(link);
    expect(states()).toEqual(['polling terminated', 'sse terminated', 'polling open']);
  });

  it('takes the session back from a WebSocket that says nothing for ten seconds', () => {
    const { platform, states } = race({ transports: ['sse', 'websocket'] });
    platform.last.shakeHands(all);
    platform.clockUsed.advance(10_000);
    expect(states()).toEqual(['sse open', 'websocket terminated', 'sse opening']);
    accept(platform.last, '0');
    platform.clockUsed.advance(5000);
    expect(states()).toEqual(['sse terminated', 'websocket terminated', 'sse open']);
  });

  it('leaves what has failed alone', () => {
    const { platform, states } = race();
    platform.last.fail();
    platform.last.shakeHands(all);
    expect(states()).toEqual(['websocket terminated', 'sse open']);
  });

  it('upgrades by the standard where the server has no sessions', () => {
    const { platform, socket } = race();
    platform.clockUsed.advance(500);
    platform.last.shakeHands({ upgrades: ['websocket'] });
    const candidate = platform.last;
    candidate.accept();
    expect(candidate.sent).toEqual(['2probe']);
    expect(socket.transport.name).toBe('polling');
  });

  it('tells the last failure when all have failed', () => {
    const { platform, socket } = race();
    const events: unknown[] = [];
    socket.on('error', (error) => events.push(error));
    socket.on('close', (reason) => events.push(reason));
    platform.last.fail('websocket error');
    platform.last.fail('event stream error');
    const error = platform.last.fail('xhr poll error');
    expect(events).toEqual([error, 'transport error']);
    expect(socket.decision.filter(({ outcome }) => outcome === 'failed')).toMatchObject([
      { transport: 'websocket', reason: { message: 'websocket error' } },
      { transport: 'sse' },
      { transport: 'polling', reason: error },
    ]);
  });

  it('is begun by the winner of the last time', () => {
    const { platform, origin } = race();
    platform.last.fail();
    platform.last.shakeHands(all);
    expect(race({}, origin).states()).toEqual(['sse opening']);
    expect(platform.remembered).toEqual({});
  });

  it('is begun by the winner that the browser remembers, when told to', () => {
    const { platform, origin } = race({ rememberUpgrade: true });
    platform.last.fail();
    platform.last.shakeHands(all);
    expect(Object.values(platform.remembered)).toEqual(['sse']);
    expect(Object.keys(platform.remembered)[0]).toContain(origin);
  });

  it('is not run when the program says what to use', () => {
    const { platform, states } = race({ transports: ['polling', 'websocket'] });
    platform.clockUsed.advance(1000);
    expect(states()).toEqual(['polling opening']);
  });
});
