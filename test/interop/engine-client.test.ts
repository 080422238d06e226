/**
 * What: our engine's client against the official engine.io 6 server, and its small exports against the official ones.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { attach, type Server, type ServerOptions } from 'engine.io';
import { parse as officialParse } from 'engine.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import connect, {
  installTimerFunctions,
  NodeWebSocket,
  NodeXHR,
  nextTick,
  parse,
  protocol,
  Socket,
  transports,
} from '../../src/entry/engine-client-node.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

async function serve(opts: ServerOptions = {}): Promise<{ server: Server; url: string }> {
  const http = createServer();
  const server = attach(http, opts);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  undo.push(async () => {
    server.close();
    http.close();
    http.closeAllConnections();
    await once(http, 'close');
  });
  server.on('connection', (socket) => socket.on('message', (data: string | Buffer) => socket.send(data)));
  return { server, url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

const until = (socket: Socket, event: 'open' | 'message' | 'upgrade' | 'close') =>
  new Promise<unknown[]>((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));

describe.each([
  ['polling', ['polling']],
  ['websocket', ['websocket']],
  ['the upgrade', ['polling', 'websocket']],
])('over %s', (way, names) => {
  it('exchanges text and bytes', async () => {
    const { url, server } = await serve();
    const connection = once(server, 'connection');
    const socket = new Socket(url, { transports: names });
    if (way === 'the upgrade') await until(socket, 'upgrade');
    for (const data of ['text', 'ünïcödé 😀', '', Buffer.from([0, 1, 255])]) {
      const answer = until(socket, 'message');
      socket.send(data);
      expect(await answer).toEqual([data]);
    }
    socket.binaryType = 'arraybuffer';
    const answer = until(socket, 'message');
    socket.send(Uint8Array.of(1, 2));
    expect(await answer).toEqual([Uint8Array.of(1, 2).buffer]);
    const [peer] = await connection;
    expect(peer.id).toBe(socket.id);
    const closed = once(peer, 'close');
    socket.close();
    expect((await closed)[0]).toBe('transport close');
    expect(socket.readyState).toBe('closed');
  });

  it('tells when a message has been handed to the transport', async () => {
    const { url } = await serve();
    const socket = connect(url, { transports: names });
    undo.push(() => socket.close());
    await new Promise<void>((resolve) => socket.send('a', {}, () => resolve()));
    expect(socket.readyState).toBe('open');
  });

  it('passes bytes as text when told to', async () => {
    const { url } = await serve();
    const socket = connect(url, { transports: names, forceBase64: true });
    undo.push(() => socket.close());
    socket.send(Uint8Array.of(1, 2, 3));
    expect(await until(socket, 'message')).toEqual([Buffer.from([1, 2, 3])]);
  });
});

it('takes transports instead of names', async () => {
  const { url } = await serve();
  const socket = connect(url, { transports: [NodeWebSocket] });
  undo.push(() => socket.close());
  await until(socket, 'open');
  expect(socket.transport.name).toBe('websocket');
  const other = connect(url, { transportImplementations: [NodeXHR] });
  undo.push(() => other.close());
  await until(other, 'open');
  expect(other.transport.name).toBe('polling');
});

it('has the exports of engine.io-client', async () => {
  expect(protocol).toBe(4);
  expect(Socket.protocol).toBe(4);
  expect(transports).toMatchObject({ polling: NodeXHR, websocket: NodeWebSocket });
  const target: { setTimeoutFn?: typeof setTimeout } = {};
  installTimerFunctions(target, { useNativeTimers: true });
  await new Promise<void>((resolve) => target.setTimeoutFn?.(resolve, 0));
  await new Promise<void>((resolve) => nextTick(resolve));
});

it.each([
  'http://localhost:8080',
  'http://google.com',
  'google.com:8080/foo/bar?foo=bar',
  'google.com/foo/bar',
  'http://user:pw@h:1/a//b/c.html?x=1&y=2&z#frag',
  'http://[::1]:3000/x',
  'ws://h',
  '//h/x',
  '/path/file.txt',
  'http://h?a=b',
  'h',
])('parse takes %s apart as the official one does', (uri) => {
  expect(parse(uri)).toEqual(officialParse(uri));
});
