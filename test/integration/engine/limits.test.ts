import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RawWebSocket } from './raw-websocket.ts';
import { beginPolling, until } from './resumable-scene.ts';
import { ask, closing, HANDSHAKE, type Scene, startEngine } from './scene.ts';

const WEBSOCKET = '/engine.io/?EIO=4&transport=websocket';

describe('the limit of sessions', () => {
  it.each([
    ['sessions', 503],
    ['sessionsPerAddress', 429],
  ])('(%s) refuses who is one too many with %i, over polling and WebSocket', async (name, status) => {
    const scene = await startEngine({ limits: { [name]: 1 } });
    const session = await scene.begin();
    const answer = await scene.ask(HANDSHAKE);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      status,
      { code: 3, message: `The limit of 1 (limits.${name}) is reached. Try again later.` },
    ]);
    const ws = new RawWebSocket(scene.port, WEBSOCKET);
    await ws.untilEnded();
    expect(ws.head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(scene.refusals.map(({ context }) => context.limit)).toEqual([name, name]);
    session.socket.close(true);
    expect((await scene.ask(HANDSHAKE)).status).toBe(200);
  });
});

describe('the limit of handshakes', () => {
  it('counts those that wait for the program, until they are answered or their clients have gone', async () => {
    const decisions: (() => void)[] = [];
    const scene = await startEngine({
      limits: { handshakes: 2 },
      allowRequest: (_request, callback) => decisions.push(() => callback(null, true)),
    });
    const first = scene.ask(HANDSHAKE);
    await until(() => decisions.length === 1);
    const gone = connect(scene.port, '127.0.0.1');
    gone.write(`GET ${HANDSHAKE} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await until(() => decisions.length === 2);
    const refused = await scene.ask(HANDSHAKE);
    expect([refused.status, refused.body]).toEqual([503, expect.stringContaining('limits.handshakes')]);
    decisions[0]!();
    expect((await first).status).toBe(200);
    gone.destroy();
    await once(gone, 'close');
    const later = [scene.ask(HANDSHAKE), scene.ask(HANDSHAKE)];
    await until(() => decisions.length === 4);
    for (const decide of decisions) decide();
    expect((await Promise.all(later)).map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe('a client that does not read', () => {
  it('is closed once more waits for it than the limit, with a reason that names it', async () => {
    const scene = await startEngine({ limits: { bufferedBytes: 1000 } });
    const { socket } = await scene.begin();
    for (let i = 0; i < 10; i++) socket.send('x'.repeat(200));
    const [reason, error] = await closing(socket);
    expect(reason).toBe('transport error');
    expect(error).toMatchObject({
      code: 'ENGINE_ERR_SLOW_READER',
      limit: { name: 'limits.bufferedBytes', value: 1000 },
    });
    expect(scene.engine.clientsCount).toBe(0);
  });

  it('misses the newest messages where the program prefers that, and each is counted', async () => {
    const scene = await startEngine({ limits: { bufferedBytes: 1000, slowReader: 'drop newest' } });
    const { socket, poll } = await scene.begin();
    for (let i = 0; i < 10; i++) socket.send(`${i}${'x'.repeat(199)}`);
    expect((await poll()).body.split('\x1e').map((text) => text.slice(0, 2))).toEqual(['40', '41', '42']);
    expect(socket.droppedMessages).toBe(7);
    socket.send('after');
    expect((await poll()).body).toBe('4after');
  });

  it('over a WebSocket is bounded as well', async () => {
    const scene = await startEngine({ limits: { bufferedBytes: 100_000 } });
    const connected = once(scene.engine, 'connection');
    const ws = new RawWebSocket(scene.port, WEBSOCKET);
    ws.net.pause();
    const [socket] = await connected;
    const ended = closing(socket);
    const message = 'x'.repeat(50_000);
    while (socket.readyState === 'open') {
      socket.send(message);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await ended)[1]).toMatchObject({ code: 'ENGINE_ERR_SLOW_READER' });
  });
});

describe('connections that are only told to close', () => {
  it.each([
    ['of unknown sessions', async () => `${WEBSOCKET}&sid=none&attach=0`, 4001],
    [
      'that others have taken over from',
      async (scene: Scene) => `${WEBSOCKET}&sid=${(await beginPolling(scene)).sid}&attach=0`,
      4002,
    ],
  ])('%s are a thousand at most, however long they take to close', async (_which, pathFor, code) => {
    const scene = await startEngine({});
    const path = await pathFor(scene);
    const connections: RawWebSocket[] = [];
    // In tens, as a backlog is not what is tested.
    while (connections.length < 1020) {
      const ten = Array.from({ length: 10 }, () => new RawWebSocket(scene.port, path));
      connections.push(...ten);
      await Promise.all(ten.map((ws) => until(() => ws.head !== '' || ws.hasEnded)));
    }
    expect(connections[0]!.head).toMatch(/^HTTP\/1.1 101 /);
    await connections[0]!.untilEnded();
    expect(connections[0]!.closed?.code).toBe(code);
    await until(() => scene.engine.farewells.count <= 1000);
    const { count } = scene.engine.farewells;
    expect(count).toBeGreaterThan(990);
    for (const ws of connections) ws.cut();
    await until(() => scene.engine.farewells.count === 0);
  });
});

describe('abandoned sessions', () => {
  it.each([
    { query: HANDSHAKE, name: 'of the standard' },
    { query: `${HANDSHAKE}&tautline=1`, name: 'that count' },
  ])('$name are forgotten after the heartbeat, also when nobody ever asks for them', async ({ query }) => {
    const scene = await startEngine({ pingInterval: 20, pingTimeout: 20 });
    await Promise.all(Array.from({ length: 50 }, () => ask(scene.port, query)));
    await until(() => scene.engine.clientsCount === 0);
    expect(Object.keys(scene.engine.clients)).toEqual([]);
  });
});
