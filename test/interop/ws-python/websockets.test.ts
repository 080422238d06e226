/**
 * What: Python's `websockets` as client of `tautline/ws` and as server of its client.
 * Must not know: frames.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from '../../../src/entry/ws.ts';

/** Debian's Python, which has the package `python3-websockets`; another may lie before it in the path. */
const PYTHON = process.env.TAUTLINE_PYTHON ?? '/usr/bin/python3';
const script = fileURLToPath(new URL('peer.py', import.meta.url));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill();
});

/** Starts the peer and hands out what it tells. */
function startPeer(...words: string[]) {
  const child = spawn(PYTHON, [script, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  let complaint = '';
  child.stderr.on('data', (data) => {
    complaint += String(data);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`The peer has ended: ${complaint}`);
    return JSON.parse(value) as Record<string, unknown>;
  };
  const rest = async () => {
    const told: Record<string, unknown>[] = [];
    for (;;) {
      const { value, done } = await lines.next();
      if (done) break;
      told.push(JSON.parse(value));
    }
    if (complaint !== '') throw new Error(complaint);
    return told;
  };
  return { child, next, rest };
}

describe.each([
  ['without compression', []],
  ['with compression', ['deflate']],
])('python3-websockets %s', (_title, words) => {
  const isDeflated = words.includes('deflate');
  const extensions = isDeflated ? ['permessage-deflate'] : [];

  test('as client of our server', async () => {
    const server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      perMessageDeflate: { threshold: 0 },
      handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
    });
    const closed = new Promise<unknown[]>((resolve) => {
      server.on('connection', (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
        socket.on('close', (code, reason) => resolve([code, reason.toString()]));
      });
    });
    await once(server, 'listening');
    const peer = startPeer('connect', `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, ...words);
    const told = await peer.rest();
    expect(told[0]).toEqual({ event: 'open', subprotocol: 'chat', extensions });
    expect(told.filter(({ event }) => event === 'echo').map(({ same, length }) => [same, length])).toEqual(
      [4, 10, 0, 5, 0, 300_000, 1_000_000].map((length) => [true, length]),
    );
    expect(told.slice(-4)).toEqual([
      { event: 'pieces', back: 'in four pieces' },
      { event: 'pong' },
      { event: 'order', kept: true },
      { event: 'close', code: 4321, reason: 'enough' },
    ]);
    expect(await closed).toEqual([4321, 'enough']);
    await new Promise((resolve) => server.close(resolve as () => void));
  });

  test('as server of our client', async () => {
    const peer = startPeer('serve', ...words);
    const { port } = await peer.next();
    const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/path?query`, ['other', 'chat'], {
      perMessageDeflate: isDeflated ? { threshold: 0 } : false,
    });
    const next = () =>
      new Promise<[Buffer, boolean]>((resolve) =>
        socket.once('message', (data, isBinary) => resolve([data as Buffer, isBinary])),
      );
    await once(socket, 'open');
    expect(await peer.next()).toEqual({
      event: 'open',
      path: '/path?query',
      subprotocol: socket.protocol,
      extensions,
    });
    for (const message of [
      'text',
      'grüße 你好 🎈',
      '',
      'x'.repeat(300_000),
      Buffer.from('bytes'),
      Buffer.alloc(1_000_000, 'ab'),
    ]) {
      const answer = next();
      socket.send(message);
      const [back, isBinary] = await answer;
      expect(isBinary).toBe(typeof message !== 'string');
      expect(back.equals(Buffer.from(message as string))).toBe(true);
    }
    const fragments = next();
    socket.send('in ', { fin: false });
    socket.send('two ', { fin: false });
    socket.send('pieces');
    expect((await fragments)[0].toString()).toBe('in two pieces');
    const pieces = next();
    socket.send('in pieces');
    expect((await pieces)[0].toString()).toBe('in pieces');
    const pinged = once(socket, 'ping');
    const answered = next();
    socket.send('ping me');
    expect(String((await pinged)[0])).toBe('from python');
    expect((await answered)[0].toString()).toBe('pinged');
    const pong = once(socket, 'pong');
    socket.ping('from node');
    expect(String((await pong)[0])).toBe('from node');
    const order: number[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data) => order.push(Number(data.toString())) === 2_000 && resolve());
    });
    for (let i = 0; i < 2_000; i++) socket.send(String(i));
    await all;
    expect(order).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
    socket.send('close me');
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([4123, 'as you wish']);
    expect(await peer.next()).toEqual({ event: 'close', code: 4123, reason: 'as you wish' });
    peer.child.stdin!.end();
  });
});

test('python3-websockets is told when our server refuses it, and when it closes', async () => {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    verifyClient: ({ req }) => req.url !== '/forbidden',
  });
  server.on('connection', (socket) => socket.on('message', () => socket.close(3001, 'because')));
  await once(server, 'listening');
  const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await startPeer('refused', `${address}/forbidden`).rest()).toEqual([
    { event: 'refused', status: 401 },
  ]);
  expect(await startPeer('closed', `${address}/`).rest()).toEqual([
    { event: 'close', code: 3001, reason: 'because' },
  ]);
  await new Promise((resolve) => server.close(resolve as () => void));
});
