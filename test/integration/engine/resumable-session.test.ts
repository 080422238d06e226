import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { SessionOver } from '../../../src/engine/port.ts';
import { RawWebSocket } from './raw-websocket.ts';
import {
  beginPolling,
  beginWebSocket,
  Counted,
  PATH,
  packets,
  RawStream,
  startCounting,
  until,
} from './resumable-scene.ts';
import { ask, closing, pollWaits } from './scene.ts';

const UNKNOWN = { code: 1, message: 'Session ID unknown' };

/** Sends what a program sends, waits until it has come over a WebSocket. */
async function exchange(ws: RawWebSocket, session: Counted, message: string): Promise<void> {
  const { length } = ws.received;
  session.send(message);
  expect((await ws.until(length + 1)).at(-1)).toBe(`4${message}`);
}

describe('the announcement', () => {
  it.each(['polling', 'websocket'] as const)('is answered over %s with the offer', async (transport) => {
    const scene = await startCounting({ session: { windowMs: 4000 } });
    const session =
      transport === 'polling' ? await beginPolling(scene) : (await beginWebSocket(scene)).session;
    expect(session.offer.session).toEqual({
      version: 1,
      windowMs: 4000,
      transports: expect.arrayContaining(['polling', 'websocket', 'short-polling']),
    });
  });

  it.each([
    ['that is not made', {}, ''],
    ['of version 0', {}, '&tautline=0'],
    ['of what is no version', {}, '&tautline=01'],
    ['to a server that offers no sessions', { session: false }, '&tautline=1'],
  ] as const)('%s gets the standard protocol', async (_name, options, query) => {
    const scene = await startCounting(options);
    const { body } = await ask(scene.port, `${PATH}&transport=polling${query}`);
    const { sid, session } = JSON.parse(body.slice(1));
    expect(session).toBeUndefined();
    const poll = ask(scene.port, `${PATH}&transport=polling&sid=${sid}`);
    await pollWaits(scene.engine.clients[sid]!);
    scene.engine.clients[sid]!.send('x');
    expect((await poll).body).toBe('4x');
    const wrong = await ask(scene.port, `${PATH}&transport=polling&sid=${sid}`, {
      method: 'POST',
      body: '70',
    });
    expect([wrong.status, wrong.body]).toEqual([400, expect.stringContaining('from 0 to 6')]);
  });

  it.each(['websocket', 'sse'])(
    'of a later version is answered over %s with the one that both speak',
    async (transport) => {
      const scene = await startCounting();
      const path = `${PATH}&transport=${transport}&tautline=12`;
      const first =
        transport === 'sse' ? new RawStream(scene.port, path) : new RawWebSocket(scene.port, path);
      expect(JSON.parse(String((await first.until(1))[0]).slice(1))).toMatchObject({
        session: { version: 1 },
      });
    },
  );

  it('is what a transport beyond the standard needs', async () => {
    const scene = await startCounting();
    const { body } = await ask(scene.port, `${PATH}&transport=short-polling`);
    expect(JSON.parse(body)).toEqual({ code: 0, message: 'Transport unknown' });
  });

  it('offers only the transport in use where upgrades are switched off', async () => {
    const scene = await startCounting({ allowUpgrades: false });
    const session = await beginPolling(scene);
    expect(session.offer.session?.transports).toEqual(['polling']);
    const { head } = await refusedHead(scene.port, session.url('websocket', 'attach=0'));
    expect(head).toContain('400 Bad Request');
  });
});

async function refusedHead(port: number, path: string): Promise<RawWebSocket> {
  const ws = new RawWebSocket(port, path);
  await ws.untilEnded();
  return ws;
}

describe('a row of polls', () => {
  it('says the count and the messages, each GET from where the client is', async () => {
    const session = await beginPolling(await startCounting());
    session.send('a', 'b');
    expect(packets(await session.get(0))).toEqual(['70', '4a', '4b']);
    session.send('c');
    expect(packets(await session.get(2))).toEqual(['70', '4c']);
    expect(session.socket.machine.confirmed).toBe(2);
  });

  it('says again what was in an answer that got lost', async () => {
    const session = await beginPolling(await startCounting());
    session.send('a', 'b');
    await session.lostGet(0);
    session.send('c');
    expect(packets(await session.get(0))).toEqual(['70', '4a', '4b', '4c']);
    expect(packets(await session.get(1))).toEqual(['70', '4b', '4c']);
    expect(session.told).toEqual([]);
  });

  it('waits for something to say, and says all of the same turn at once', async () => {
    const session = await beginPolling(await startCounting());
    const poll = session.get(0);
    await pollWaits(session.socket);
    session.send('a', 'b', 'c');
    expect(packets(await poll)).toEqual(['70', '4a', '4b', '4c']);
  });

  it('goes on when a GET breaks off that waits', async () => {
    const session = await beginPolling(await startCounting());
    const { port } = session.scene;
    const client = connect(port, '127.0.0.1');
    client.write(`GET ${session.url('polling', 'attach=0')} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await pollWaits(session.socket);
    client.destroy();
    await until(() => !session.socket.transport.isWritable);
    session.send('a');
    expect(packets(await session.get(0))).toEqual(['70', '4a']);
    expect(session.told).toEqual([]);
  });

  it('answers a GET that waits with a noop when another comes', async () => {
    const session = await beginPolling(await startCounting());
    const first = session.get(0);
    await pollWaits(session.socket);
    const second = session.get(0);
    expect(packets(await first)).toEqual(['6']);
    session.send('a');
    expect(packets(await second)).toEqual(['70', '4a']);
  });

  it('gives an overlapping GET what the one before has got already', async () => {
    const session = await beginPolling(await startCounting());
    session.send('a');
    const answers = await Promise.all([session.get(0), session.get(0), session.get(0)]);
    expect(answers.map(packets)).toEqual([
      ['70', '4a'],
      ['70', '4a'],
      ['70', '4a'],
    ]);
  });

  it('takes each message of POSTs once, however often they come', async () => {
    const session = await beginPolling(await startCounting());
    expect((await session.post(0, '4a\x1e4b')).body).toBe('72');
    expect((await session.post(0, '4a\x1e4b')).body).toBe('72');
    expect((await session.post(1, '4b\x1e4c')).body).toBe('73');
    const twice = await Promise.all([session.post(3, '4d'), session.post(3, '4d')]);
    expect(twice.map(({ body }) => body)).toContain('74');
    await session.post(3, '4d');
    expect(session.got).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes nothing of a POST before which one is missing', async () => {
    const session = await beginPolling(await startCounting());
    expect((await session.post(1, '4b\x1e4c')).body).toBe('70');
    expect((await session.post(0, '4a\x1e4b\x1e4c')).body).toBe('73');
    expect(session.got).toEqual(['a', 'b', 'c']);
  });

  it('outlives a POST that breaks off in the middle', async () => {
    const session = await beginPolling(await startCounting());
    const client = connect(session.scene.port, '127.0.0.1');
    const head = `POST ${session.url('polling', 'from=0')} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n`;
    client.write(`${head}4`);
    await until(() => session.socket.post !== null);
    client.destroy();
    await until(() => session.socket.post === null);
    expect((await session.post(0, '4a')).body).toBe('71');
    expect(session.got).toEqual(['a']);
  });

  it('gives up a POST that is being read when another comes', async () => {
    const session = await beginPolling(await startCounting());
    const client = connect(session.scene.port, '127.0.0.1');
    const answer = new Promise<string>((resolve) => client.on('data', (data) => resolve(data.toString())));
    const head = `POST ${session.url('polling', 'from=0')} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n`;
    client.write(`${head}4`);
    await until(() => session.socket.post !== null);
    expect((await session.post(0, '4b')).body).toBe('71');
    expect(await answer).toMatch(/200 OK[\s\S]*70$/);
    client.destroy();
    expect(session.got).toEqual(['b']);
  });

  it('is confirmed by a POST too', async () => {
    const session = await beginPolling(await startCounting());
    session.send('a', 'b', 'c');
    await session.get(0);
    await session.post(0, '72');
    expect(session.socket.machine.confirmed).toBe(2);
  });

  it('divides what is too much for one answer', async () => {
    const session = await beginPolling(await startCounting());
    const large = 'x'.repeat(600_000);
    session.send(large, large, large, 'end');
    let count = 0;
    const sizes: number[] = [];
    while (count < 4) {
      const [, ...messages] = packets(await session.get(count));
      sizes.push(messages.length);
      count += messages.length;
    }
    expect(sizes).toEqual([2, 2]);
  });

  it('asks for short answers where the client polls at an interval', async () => {
    const session = await beginPolling(await startCounting(), 'short-polling');
    expect(packets(await session.get(0, 'short-polling'))).toEqual(['70']);
    await session.post(0, '4a', 'short-polling');
    session.send('b');
    expect(packets(await session.get(0, 'short-polling'))).toEqual(['71', '4b']);
    expect(packets(await session.get(1, 'short-polling'))).toEqual(['71']);
  });
});

describe('an event stream', () => {
  const stream = (session: Counted, attach: number, headers = {}): RawStream =>
    new RawStream(session.scene.port, session.url('sse', `attach=${attach}`), headers);

  async function begin(): Promise<{ session: Counted; events: RawStream }> {
    const scene = await startCounting();
    const events = new RawStream(scene.port, `${PATH}&transport=sse&tautline=1`);
    const [open] = await events.until(1);
    return { session: new Counted(scene, JSON.parse(open!.slice(1))), events };
  }

  it('begins a session, carries messages down with their counts, and POSTs carry them up', async () => {
    const { session, events } = await begin();
    expect(session.offer.session?.transports).toContain('sse');
    session.send('a', 'b');
    expect((await events.until(3)).slice(1)).toEqual(['4a', '4b']);
    expect(events.lastId).toBe('2');
    expect((await session.post(0, '4x', 'sse')).body).toBe('71');
    expect(session.got).toEqual(['x']);
  });

  it('goes on where another one broke off, by its parameter or by Last-Event-ID', async () => {
    const { session, events } = await begin();
    await session.post(0, '4x', 'sse');
    session.send('a', 'b', 'c');
    await events.until(4);
    events.cut();
    const second = stream(session, 1);
    expect(await second.until(3)).toEqual(['71', '4b', '4c']);
    second.cut();
    const third = stream(session, 0, { 'last-event-id': '2' });
    expect(await third.until(2)).toEqual(['71', '4c']);
    expect(third.lastId).toBe('3');
    expect(session.told).toEqual([]);
  });

  it('takes over from a WebSocket, and is taken over from', async () => {
    const { session, ws } = await beginWebSocket(await startCounting());
    ws.send('4x');
    session.send('a');
    await ws.until(2);
    const events = stream(session, 1);
    expect(await events.until(1)).toEqual(['71']);
    expect((await ws.untilClosed()).code).toBe(4002);
    const again = session.websocket(1);
    expect(await again.until(1)).toEqual(['71']);
    await events.untilEnded();
    expect(session.told).toEqual([]);
  });

  it('is told the end', async () => {
    const { session, events } = await begin();
    session.send('a');
    session.socket.close();
    expect((await events.until(4)).slice(1)).toEqual(['4a', '70', '1']);
    await events.untilEnded();
  });
});

describe('another connection', () => {
  it('takes over from polling, and the waiting poll is answered', async () => {
    const session = await beginPolling(await startCounting());
    session.send('a', 'b');
    await session.get(0);
    const poll = session.get(1).then(packets);
    expect(await poll).toEqual(['70', '4b']);
    const waiting = session.get(2).then(packets);
    await pollWaits(session.socket);
    await session.post(0, '4x');
    const ws = session.websocket(2);
    expect(await ws.until(1)).toEqual(['71']);
    expect(await waiting).toEqual(['6']);
    await exchange(ws, session, 'c');
    ws.send('4y');
    await until(() => session.got.length === 2);
    expect(session.got).toEqual(['x', 'y']);
    expect(session.told).toEqual([]);
    expect(session.socket).toMatchObject({ upgraded: true, isAttached: true });
  });

  it('is not displaced by a late poll, and is by one that begins a row', async () => {
    const session = await beginPolling(await startCounting());
    const ws = session.websocket(0);
    await ws.until(1);
    expect(packets(await session.get(0))).toEqual(['6']);
    await exchange(ws, session, 'a');
    expect(packets(await session.get('1&first=1'))).toEqual(['70']);
    expect((await ws.untilClosed()).code).toBe(4002);
    expect(session.told).toEqual([]);
  });

  it('takes over from a WebSocket that still lives, which is closed with 4002 and not listened to', async () => {
    const { session, ws: old } = await beginWebSocket(await startCounting());
    old.send('4a');
    await exchange(old, session, 'one');
    const ws = session.websocket(0);
    expect(await ws.until(2)).toEqual(['71', '4one']);
    old.send('4late');
    expect(await old.untilClosed()).toEqual({
      code: 4002,
      reason: 'Another connection carries the session.',
    });
    ws.send('4b');
    await until(() => session.got.length === 2);
    expect(session.got).toEqual(['a', 'b']);
    expect([session.told, session.scene.engine.clientsCount]).toEqual([[], 1]);
  });

  it('resumes what was interrupted, both ways, with nothing lost or twice', async () => {
    const { session, ws: first } = await beginWebSocket(await startCounting());
    first.send('4a', '4b');
    session.send('1', '2', '3');
    await first.until(4);
    await until(() => session.got.length === 2);
    first.cut();
    await until(() => session.told.length === 1);
    session.send('4', '5');
    expect(session.socket).toMatchObject({ isOpen: true, isWritable: false, isAttached: false });
    const second = session.websocket(2);
    expect(await second.until(4)).toEqual(['72', '43', '44', '45']);
    second.send('4c');
    await until(() => session.got.length === 3);
    expect(session.got).toEqual(['a', 'b', 'c']);
    expect(session.told).toEqual(['interrupted: transport close', 'resumed']);
  });

  it('may be a row of polls after a WebSocket, whose first GET is answered at once', async () => {
    const { session, ws } = await beginWebSocket(await startCounting());
    ws.send('4a');
    await until(() => session.got.length === 1);
    ws.cut();
    await until(() => session.told.length === 1);
    expect((await session.post(0, '4a\x1e4b')).body).toBe('72');
    expect(packets(await session.get(0))).toEqual(['72']);
    expect(session.told).toEqual(['interrupted: transport close', 'resumed']);
    expect(session.got).toEqual(['a', 'b']);
  });

  it('finds a POST of the connection before it taken once only', async () => {
    const session = await beginPolling(await startCounting());
    const ws = session.websocket(0);
    await ws.until(1);
    expect((await session.post(0, '4a')).body).toBe('71');
    ws.send('4a', '4b');
    await until(() => session.got.length === 2);
    expect(session.got).toEqual(['a', 'b']);
  });

  it('gets what was received over the one before it all the same, as it counts from where it began', async () => {
    const { session, ws: old } = await beginWebSocket(await startCounting());
    await exchange(old, session, 'a');
    await exchange(old, session, 'b');
    const ws = session.websocket(0);
    await ws.until(1);
    ws.send('72');
    expect(await ws.until(3)).toEqual(['70', '4a', '4b']);
    await exchange(ws, session, 'c');
  });

  it('tells a program how long the gap was', async () => {
    const { session, ws } = await beginWebSocket(await startCounting());
    ws.send('4a');
    await until(() => session.got.length === 1);
    const gap = new Promise<number>((resolve) => session.socket.on('resumed', resolve));
    ws.cut();
    await until(() => session.told.length === 1);
    session.websocket(0);
    expect(await gap).toBeGreaterThanOrEqual(0);
  });
});

describe('counts over a stream', () => {
  it('are said after 32 messages, and before a ping', async () => {
    const { session, ws } = await beginWebSocket(
      await startCounting({ pingInterval: 50, pingTimeout: 5000 }),
    );
    ws.send(...Array.from({ length: 32 }, (_, i) => `4${i}`));
    await until(() => ws.received.includes('732'));
    ws.send('4x');
    await until(() => ws.received.includes('733'));
    const at = ws.received.indexOf('733');
    expect(ws.received[at + 1]).toBe('2');
    expect(session.got).toHaveLength(33);
  });

  it('are not told by the answer to a POST where another transport carries the session', async () => {
    const session = await beginPolling(await startCounting({ pingInterval: 50 }));
    const ws = session.websocket(0);
    expect(await ws.until(1)).toEqual(['70']);
    expect(packets(await session.post(0, '4a'))).toEqual(['71']);
    // Its client may have dropped the polls, and hears the count here.
    expect((await ws.until(3)).slice(1)).toEqual(['71', '2']);
  });

  it('let go of what they confirm', async () => {
    const { session, ws } = await beginWebSocket(await startCounting());
    session.send('a', 'b', 'c');
    await ws.until(4);
    ws.send('72', '71');
    await until(() => session.socket.machine.confirmed === 2);
    expect(session.socket.machine.messagesFrom(2)).toHaveLength(1);
  });
});

describe('the end', () => {
  it.each([1000, 1001])('comes with the close code %i of the client', async (code) => {
    const { session, ws } = await beginWebSocket(await startCounting());
    await exchange(ws, session, 'a');
    ws.close(code);
    const [reason, report] = await closing(session.socket);
    expect(reason).toBe('transport close');
    expect(report).toMatchObject({ end: 'closed', unconfirmed: [{ data: 'a' }] });
    const again = session.websocket(1);
    expect(await again.untilClosed()).toEqual({ code: 4001, reason: 'closed 0' });
  });

  it.each([undefined, 1011, 1012, 4000])('does not come with the close code %s', async (code) => {
    const { session, ws } = await beginWebSocket(await startCounting());
    ws.send('4a');
    await until(() => session.got.length === 1);
    ws.close(code);
    await until(() => session.told.length === 1);
    expect(await session.websocket(0).until(1)).toEqual(['71']);
  });

  it.each([
    ['a POST', (session: Counted) => session.post(0, '4a\x1e1').then(({ body }) => body)],
    [
      'a WebSocket',
      async (session: Counted) => {
        const ws = session.websocket(0);
        await ws.until(1);
        ws.send('4a', '1');
        const received = (await ws.until(3)).slice(1);
        expect(await ws.untilClosed()).toEqual({ code: 1000, reason: '' });
        return received;
      },
    ],
  ])('comes with the close packet in %s, and the client is told the count', async (_name, end) => {
    const session = await beginPolling(await startCounting());
    expect([await end(session)].flat()).toContain('71');
    expect((await closing(session.socket))[0]).toBe('transport close');
    expect(session.got).toEqual(['a']);
    const { status, body } = await session.get(0);
    expect([status, JSON.parse(body)]).toEqual([400, { ...UNKNOWN, end: 'closed', received: 1 }]);
  });

  it('comes when the window has passed without a connection, and is told to who comes later', async () => {
    const { session, ws } = await beginWebSocket(await startCounting({ session: { windowMs: 30 } }));
    ws.send('4a');
    session.send('1', '2');
    await ws.until(3);
    ws.send('71');
    await until(() => session.socket.machine.confirmed === 1);
    ws.cut();
    const [reason, report] = await closing(session.socket);
    expect(reason).toBe('transport close');
    expect(report).toBeInstanceOf(SessionOver);
    expect(report).toMatchObject({ end: 'expired', unconfirmed: [{ data: '2' }] });
    expect(session.scene.engine.clientsCount).toBe(0);
    expect(await session.websocket(2).untilClosed()).toEqual({ code: 4001, reason: 'expired 1' });
    expect(JSON.parse((await session.get(2)).body)).toEqual({ ...UNKNOWN, end: 'expired', received: 1 });
    expect(JSON.parse((await session.post(0, '4a')).body)).toEqual({
      ...UNKNOWN,
      end: 'expired',
      received: 1,
    });
  });

  it('of a session that never was is told with no more than that', async () => {
    const scene = await startCounting();
    const ws = new RawWebSocket(scene.port, `${PATH}&transport=websocket&sid=nobody&attach=0`);
    expect(await ws.untilClosed()).toEqual({ code: 4001, reason: 'unknown' });
    const { status, body } = await ask(scene.port, `${PATH}&transport=polling&sid=nobody&attach=0`);
    expect([status, JSON.parse(body)]).toEqual([400, UNKNOWN]);
    expect((await refusedHead(scene.port, `${PATH}&transport=websocket&sid=nobody`)).head).toContain('400');
  });

  it('comes at once for a session whose client has said nothing', async () => {
    const { session, ws } = await beginWebSocket(await startCounting());
    ws.cut();
    expect(await closing(session.socket)).toEqual([
      'transport close',
      expect.objectContaining({ end: 'closed' }),
    ]);
    expect(session.told).toEqual([]);
  });

  it('comes when the program closes, after what was sent', async () => {
    const { session, ws } = await beginWebSocket(await startCounting());
    session.send('a');
    session.socket.close();
    expect(await ws.until(4)).toEqual([expect.stringMatching(/^0/), '4a', '70', '1']);
    expect(await ws.untilClosed()).toEqual({ code: 1000, reason: '' });
  });

  it('waits for a GET where the client polls, so that what was sent still goes', async () => {
    const session = await beginPolling(await startCounting());
    session.send('a');
    session.socket.close();
    expect(packets(await session.get(0))).toEqual(['70', '4a']);
    expect(packets(await session.get(1))).toEqual(['70', '1']);
    expect((await closing(session.socket))[0]).toBe('forced close');
  });

  it('comes for detached sessions too when the server closes', async () => {
    const { session, ws } = await beginWebSocket(await startCounting());
    ws.send('4a');
    await until(() => session.got.length === 1);
    ws.cut();
    await until(() => session.told.length === 1);
    session.scene.engine.close();
    expect((await closing(session.socket))[0]).toBe('forced close');
    expect(session.scene.engine.clientsCount).toBe(0);
  });

  it.each([
    ['bytes', { bufferBytes: 500 }],
    ['messages', { bufferMessages: 3 }],
  ])(
    'comes when too much waits because too many %s are unconfirmed, and both sides are told',
    async (_name, kept) => {
      const options = { session: kept, limits: { bufferedBytes: 1000 } };
      const { session, ws } = await beginWebSocket(await startCounting(options));
      const messages = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(100, 'x'));
      const sent = messages.filter((message) => {
        const { readyState } = session.socket;
        session.send(message);
        return readyState === 'open';
      });
      const [reason, report] = await closing(session.socket);
      expect(reason).toBe('transport error');
      expect(report).toMatchObject({
        end: 'overflow',
        cause: { code: 'ENGINE_ERR_SLOW_READER', limit: { name: 'limits.bufferedBytes', value: 1000 } },
      });
      // Three that the session had taken, six that waited, and the one too many.
      const { unconfirmed } = report as SessionOver;
      expect([sent.length, unconfirmed.map(({ data }) => data)]).toEqual([10, sent]);
      await ws.untilClosed();
      expect(ws.received.slice(-2)).toEqual(['70', '1overflow']);
      expect(await session.websocket(1).untilClosed()).toEqual({ code: 4001, reason: 'overflow 0' });
    },
  );
});

describe('what cannot be true', () => {
  it.each(['-1', 'NaN', '1e3', '', '01', '%2B1', '9007199254740993', '1.5', 'Infinity', '__proto__'])(
    'as a parameter (%s) is refused, and harms nothing',
    async (value) => {
      const session = await beginPolling(await startCounting());
      session.send('a');
      for (const answer of [await session.get(value), await session.post(value, '4a')]) {
        expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 3]);
      }
      expect(
        (await refusedHead(session.scene.port, session.url('websocket', `attach=${value}`))).head,
      ).toContain('400 Bad Request');
      expect(packets(await session.get(0))).toEqual(['70', '4a']);
    },
  );

  it('a request without its parameter is refused, and harms nothing', async () => {
    const session = await beginPolling(await startCounting());
    const url = `${PATH}&transport=polling&sid=${session.sid}`;
    const { port } = session.scene;
    const statuses = [
      (await ask(port, url)).status,
      (await ask(port, url, { method: 'POST', body: '4a' })).status,
      (await ask(port, `${url}&attach=0`, { method: 'PUT', body: '4a' })).status,
    ];
    expect(statuses).toEqual([400, 400, 400]);
    expect((await session.post(0, '4a')).body).toBe('71');
  });

  it.each([
    ['a GET', async (session: Counted) => JSON.parse((await session.get(2)).body)],
    ['a POST', async (session: Counted) => void (await session.post(0, '72'))],
    [
      'a WebSocket',
      async (session: Counted) => {
        const ws = session.websocket(2);
        expect(await ws.untilClosed()).toEqual({ code: 4001, reason: 'protocol 0' });
      },
    ],
    [
      'a packet of a WebSocket',
      async (session: Counted) => {
        const ws = session.websocket(0);
        await ws.until(2);
        ws.send('72');
        await ws.untilClosed();
        expect(ws.received.slice(-2)).toEqual(['70', '1protocol']);
      },
    ],
  ])('a count larger than what was sent in %s ends the session', async (_name, lie) => {
    const session = await beginPolling(await startCounting());
    session.send('a');
    await lie(session);
    const [reason, report] = await closing(session.socket);
    expect(reason).toBe('transport error');
    expect(report).toMatchObject({ end: 'protocol', cause: { code: 'SESSION_ERR_CONFIRMED_TOO_MUCH' } });
  });

  it.each(['7', '7x', '7-1', '7NaN'])('the packet %s ends the session', async (packet) => {
    const session = await beginPolling(await startCounting());
    const ws = session.websocket(0);
    await ws.until(1);
    ws.send(packet);
    expect((await closing(session.socket))[1]).toMatchObject({
      cause: { code: 'SESSION_ERR_INVALID_COUNT' },
    });
  });

  it('a GET that was overtaken is refused, and the session goes on', async () => {
    const session = await beginPolling(await startCounting());
    session.send('a', 'b');
    await session.get(0);
    const waiting = session.get(2);
    await pollWaits(session.socket);
    const { status, body } = await session.get(1);
    expect([status, JSON.parse(body)]).toEqual([400, { ...UNKNOWN, end: 'gone', received: 0 }]);
    session.send('c');
    expect(packets(await waiting)).toEqual(['70', '4c']);
  });

  it('a connection that took long to attach is told where the server begins', async () => {
    const session = await beginPolling(await startCounting());
    session.send('a', 'b');
    await session.get(0);
    void session.get(2);
    await pollWaits(session.socket);
    const ws = session.websocket(1);
    expect(await ws.until(1)).toEqual(['70,2']);
    session.send('c');
    expect(await ws.until(2)).toEqual(['70,2', '4c']);
  });

  it('a body above the limit ends the session, as it would only come again', async () => {
    const session = await beginPolling(await startCounting({ maxHttpBufferSize: 10 }));
    const { status } = await session.post(0, `4${'x'.repeat(20)}`);
    expect(status).toBe(413);
    expect((await closing(session.socket))[1]).toMatchObject({
      end: 'protocol',
      cause: { code: 'POLLING_ERR_BODY_TOO_LARGE' },
    });
  });

  it('a message above the limit of a WebSocket does so too', async () => {
    const { session, ws } = await beginWebSocket(await startCounting({ maxHttpBufferSize: 10 }));
    ws.send(`4${'x'.repeat(20)}`);
    expect((await closing(session.socket))[1]).toMatchObject({ end: 'protocol' });
    expect((await ws.untilClosed()).code).toBe(1009);
  });
});

describe('what is sent while the connection takes nothing', () => {
  it('is not kept twice, and goes in order', async () => {
    const { session, ws } = await beginWebSocket(await startCounting());
    ws.net.pause();
    const large = 'x'.repeat(100_000);
    for (let i = 0; i < 100; i++) session.send(`${i} ${large}`);
    await until(() => !session.socket.isWritable);
    expect(session.socket.waiting).toBeNull();
    ws.net.resume();
    const received = await ws.until(101);
    expect(received.slice(1).map((text) => Number.parseInt(String(text).slice(1), 10))).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  it('waits where more is unconfirmed than the session keeps, and goes on as the client confirms', async () => {
    const { session, ws } = await beginWebSocket(await startCounting({ session: { bufferMessages: 4 } }));
    const drained = vi.fn();
    session.socket.on('drain', drained);
    for (let i = 0; i < 10; i++) session.send(`${i}`);
    expect(session.socket.writeBuffer.map(({ data }) => data)).toEqual(['4', '5', '6', '7', '8', '9']);
    expect(session.socket.isWritable).toBe(false);
    expect((await ws.until(5)).slice(1)).toEqual(['40', '41', '42', '43']);
    ws.send('71');
    ws.send('72');
    expect((await ws.until(7)).slice(5)).toEqual(['44', '45']);
    ws.cut();
    await until(() => session.told.length === 1);
    const second = session.websocket(4);
    expect((await second.until(5)).slice(1)).toEqual(['44', '45', '46', '47']);
    expect(drained).not.toHaveBeenCalled();
    second.send('78');
    expect((await second.until(7)).slice(5)).toEqual(['48', '49']);
    await until(() => session.socket.isWritable);
    expect([session.socket.writeBuffer, session.socket.waitingBytes]).toEqual([[], 0]);
    expect(drained).toHaveBeenCalledTimes(1);
  });

  it('goes on while the session closes, where a client confirms with its heartbeat only', async () => {
    const options = { session: { bufferMessages: 1 }, pingInterval: 60, pingTimeout: 20_000 };
    const { session, ws } = await beginWebSocket(await startCounting(options));
    session.send('a', 'b', 'c');
    session.socket.close();
    for (const count of [1, 2]) {
      await vi.waitUntil(() => ws.received.filter((text) => text === '2').length === count);
      ws.send(`7${count}`);
      ws.send('3');
    }
    expect((await closing(session.socket))[0]).toBe('forced close');
    await ws.untilClosed();
    expect(ws.received.slice(1)).toEqual(['4a', '2', '4b', '2', '4c', '70', '1']);
  });

  it('waits over polling too, and comes with the answers', async () => {
    const session = await beginPolling(await startCounting({ session: { bufferMessages: 2 } }));
    session.send('a', 'b', 'c', 'd', 'e');
    expect(packets(await session.get(0))).toEqual(['70', '4a', '4b']);
    expect(packets(await session.get(2))).toEqual(['70', '4c', '4d']);
    expect(packets(await session.get(4))).toEqual(['70', '4e']);
  });

  it('is dropped and counted where the program prefers that', async () => {
    const { session, ws } = await beginWebSocket(
      await startCounting({
        session: { bufferMessages: 2 },
        limits: { bufferedBytes: 0, slowReader: 'drop newest' },
      }),
    );
    session.send('a', 'b', 'c', 'd');
    expect((await ws.until(3)).slice(1)).toEqual(['4a', '4b']);
    ws.send('72');
    await until(() => session.socket.machine.confirmed === 2);
    await exchange(ws, session, 'e');
    expect(session.socket.droppedMessages).toBe(2);
  });
});
