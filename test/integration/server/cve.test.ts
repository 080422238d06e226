/**
 * What: the attacks behind the published CVEs of socket.io, engine.io and socket.io-parser, on real sockets: the peer is
 * refused or its own session ends, and the server goes on. Those that need no socket are in test/unit/hub/hostility.
 * Must not know: how the server holds out.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { io as connectTo } from 'socket.io-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Server, type ServerOptions, type Socket } from '../../../src/entry/index.ts';
import { RawWebSocket } from '../engine/raw-websocket.ts';
import { ask } from '../engine/scene.ts';
import { expectNoException } from './no-exception.ts';

const HANDSHAKE = '/socket.io/?EIO=4&transport=polling';
const WEBSOCKET = '/socket.io/?EIO=4&transport=websocket';

expectNoException();

async function start(options: Partial<ServerOptions> = {}) {
  const http = createServer();
  const io = new Server(http, options);
  io.on('connection', (socket) => socket.on('echo', (value, reply) => reply(value)));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  /** The server serves: what has happened harmed nobody else. */
  const expectAlive = async (): Promise<void> => {
    const client = connectTo(`http://127.0.0.1:${port}`, { forceNew: true });
    expect(await client.emitWithAck('echo', 'alive')).toBe('alive');
    client.disconnect();
  };
  onTestFinished(async () => {
    http.closeAllConnections();
    await io.close();
  });
  const begin = async (): Promise<string> => {
    const { body } = await ask(port, HANDSHAKE);
    return `${HANDSHAKE}&sid=${JSON.parse(body.slice(1)).sid}`;
  };
  return { io, port, expectAlive, begin };
}

/** Sends bytes, and waits until the server has answered or cut the connection. */
async function speak(port: number, text: string, then: 'wait' | 'reset' = 'wait'): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk;
    if (then === 'wait' && answer.includes('\r\n\r\n')) socket.end();
  });
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.write(text, 'latin1', () => {
    if (then === 'reset') socket.resetAndDestroy();
  });
  await closed;
  return answer;
}

const upgradeTo = (path: string, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;

it('CVE-2017-16031 (socket.io): ids are not made by a chance that can be guessed', async () => {
  const random = vi.spyOn(Math, 'random');
  onTestFinished(() => random.mockRestore());
  const { io, port } = await start({ connectionStateRecovery: {} });
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    const entered = once(io, 'connection');
    const ws = new RawWebSocket(port, WEBSOCKET);
    await ws.until(1);
    ws.send('40');
    const [socket] = (await entered) as [Socket];
    const [open, answer] = await ws.until(2);
    const { pid } = JSON.parse(String(answer).slice(2));
    ids.push(socket.id, pid, JSON.parse(String(open).slice(1)).sid);
  }
  expect(new Set(ids).size).toBe(9);
  for (const id of ids) expect(id).toMatch(/^[\w-]{20,}$/);
  expect(random).not.toHaveBeenCalled();
});

describe('CVE-2020-28481 (socket.io): the origins of the default are not all', () => {
  it('a page of another origin reads no answer, and is refused', async () => {
    const { port } = await start();
    const answer = await ask(port, HANDSHAKE, { headers: { origin: 'https://evil.example' } });
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(await speak(port, upgradeTo(WEBSOCKET, 'Origin: https://evil.example\r\n'))).toMatch(
      /^HTTP\/1.1 403 /,
    );
  });
});

describe('CVE-2020-36048 (engine.io): a body of many packets costs what its bytes cost', () => {
  it.each([
    ['separators', '\x1e'.repeat(999_000)],
    ['empty messages', '4\x1e'.repeat(499_000)],
    ['packets of the old protocol', '1:4'.repeat(333_000)],
    ['noops', Array(499_000).fill('6').join('\x1e')],
    ['a text without end', `42["a","${'x'.repeat(990_000)}`],
  ])('%s', async (_what, body) => {
    const { port, begin, expectAlive } = await start();
    const url = await begin();
    const { status } = await ask(port, url, { method: 'POST', body });
    expect([200, 400]).toContain(status);
    await expectAlive();
  });

  it('more than the limit is refused', async () => {
    const { port, begin, expectAlive } = await start({ maxHttpBufferSize: 1000 });
    const { status } = await ask(port, await begin(), { method: 'POST', body: 'x'.repeat(100_000) });
    expect(status).toBe(413);
    await expectAlive();
  });
});

it.each([0x20, 0x10, 0x30])(
  'CVE-2022-21676 (engine.io): reserved bits (%i) in a frame that comes with the handshake',
  async (bits) => {
    const { port, expectAlive } = await start();
    const frame = String.fromCharCode(0x81 | bits, 0x80, 0, 0, 0, 0);
    expect(await speak(port, upgradeTo(WEBSOCKET) + frame)).toMatch(/^HTTP\/1.1 101 /);
    await expectAlive();
  },
);

it.each([
  ['a handshake', upgradeTo(WEBSOCKET)],
  ['one that is refused', upgradeTo('/socket.io/?EIO=4&transport=unknown')],
  ['one of another path', upgradeTo('/elsewhere')],
  ['one of an unknown session', upgradeTo(`${WEBSOCKET}&sid=unknown`)],
  ['a poll', `GET ${HANDSHAKE} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ['half a request', 'GET /socket.io/?EIO=4&tr'],
])('CVE-2022-41940 (engine.io): %s whose connection is reset', async (_what, request) => {
  const { port, expectAlive } = await start();
  for (let i = 0; i < 5; i++) await speak(port, request, 'reset');
  await expectAlive();
});

it.each([
  '/socket.io/?EIO=4&transport=polling',
  '/socket.io/?EIO=4&transport=__proto__',
  '/socket.io/?EIO=4&transport=constructor',
  '/socket.io/?EIO=4&transport=toString',
  '/socket.io/?EIO=4',
  '/socket.io/?transport=websocket&transport=polling',
  '/socket.io/?EIO[a]=4&transport[b]=websocket',
  '/socket.io/?EIO=4&transport=websocket&sid=__proto__',
  '/socket.io/?EIO=4&transport=websocket&sid=constructor',
  '/socket.io/?EIO=4&transport=webtransport',
])('CVE-2023-31125 (engine.io): the upgrade %s is refused', async (path) => {
  const { port, expectAlive } = await start();
  expect(await speak(port, upgradeTo(path))).toMatch(/^HTTP\/1.1 4\d\d /);
  await expectAlive();
});

it('CVE-2024-38355 (socket.io): an event called error, without a listener', async () => {
  const { io, port, expectAlive } = await start();
  const ws = new RawWebSocket(port, WEBSOCKET);
  const entered = once(io, 'connection');
  ws.send('40');
  await entered;
  ws.send('42["error"]', '42["error",{"message":"x"}]', '421["echo","still here"]');
  const messages = await ws.until(3);
  expect(messages[2]).toBe('431["still here"]');
  await expectAlive();
});

it('CVE-2026-33151 (socket.io-parser): attachments are bounded in number, and in bytes by the size of a message', async () => {
  const { io, port, expectAlive } = await start({ maxHttpBufferSize: 1000 });
  const ws = new RawWebSocket(port, WEBSOCKET);
  const entered = once(io, 'connection');
  ws.send('40');
  const [socket] = (await entered) as [Socket];
  const error = new Promise<Error & { limit?: unknown }>((resolve) => socket.on('error', resolve));
  ws.send('4511-["a"]');
  expect((await error).limit).toEqual({ name: 'attachments', value: 10 });
  await ws.untilClosed();
  await expectAlive();
});

it('CVE-2026-69185 (socket.io-parser): what is kept of packets that never become whole goes with their sender', async () => {
  const { io, port, expectAlive } = await start();
  for (const text of [
    // Announced, and never sent; sent in part; more of them than were announced; one in the place of many.
    ['4510-["a"]'],
    ['4510-["a"]', Buffer.alloc(100)],
    ['451-["a",{"_placeholder":true,"num":0}]', Buffer.alloc(10), Buffer.alloc(10)],
    [`451-["a"${',{"_placeholder":true,"num":0}'.repeat(900)}]`, Buffer.alloc(10)],
    ['4510-["a"]', '451-["a"]'],
    ['45-["a"]'],
    ['450-["a"]'],
    ['451-', Buffer.alloc(1)],
  ]) {
    const entered = once(io, 'connection');
    const ws = new RawWebSocket(port, WEBSOCKET);
    ws.send('40');
    const [socket] = (await entered) as [Socket];
    const ended = new Promise((resolve) => socket.on('disconnect', resolve));
    socket.on('a', (...args: unknown[]) => expect(new Set(args).size).toBe(1));
    ws.send(...text);
    ws.close(1000);
    await ended;
  }
  expect([io.engine.clientsCount, io.sockets.sockets.size, io.sockets.adapter.sids.size]).toEqual([0, 0, 0]);
  await expectAlive();
});

it('CVE-2026-59725 (engine.io): a POST of bytes is answered, and ends its session at most', async () => {
  const { io, port, begin, expectAlive } = await start();
  const headers = { 'content-type': 'application/octet-stream' };
  for (let i = 0; i < 5; i++) {
    const url = await begin();
    const answers = await Promise.all(
      [Buffer.alloc(0), Buffer.from([0, 1, 255, 4]), Buffer.alloc(10_000, 0xff)].map((body) =>
        ask(port, url, { method: 'POST', headers, body }),
      ),
    );
    for (const { status } of answers) expect(status).toBe(400);
  }
  expect(io.engine.clientsCount).toBe(0);
  await expectAlive();
});

it('half-finished handshakes end by themselves: no namespace entered, no packet, no upgrade', async () => {
  const { io, port, begin, expectAlive } = await start({ connectTimeout: 300, upgradeTimeout: 300 });
  const ws = new RawWebSocket(port, WEBSOCKET);
  await ws.untilClosed();
  const url = await begin();
  // With a noop in front where the poll waited already.
  expect(['1', '6\x1e1']).toContain((await ask(port, url)).body);
  const entered = once(io, 'connection');
  const other = await begin();
  const answer = ask(port, other);
  await ask(port, other, { method: 'POST', body: '40' });
  const [socket] = (await entered) as [Socket];
  expect((await answer).status).toBe(200);
  // A probe that is never finished leaves the session to its polling.
  const probe = new RawWebSocket(port, other.replace('polling', 'websocket'));
  probe.send('2probe');
  await probe.untilClosed();
  expect([socket.connected, socket.conn.transport.name]).toEqual([true, 'polling']);
  await expectAlive();
});
