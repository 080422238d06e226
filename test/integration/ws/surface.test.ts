/**
 * What: the classes as objects: constants, accessors, listeners of both styles, the server's life; as `ws` has them.
 * Must not know: frames.
 */
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import * as ours from '../../../src/entry/ws.ts';
import cjs from '../../../src/entry/ws-cjs.ts';
import { addressOf, close, implementations, listen, Scene } from './peers.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

test('the module for require() is the class that carries the others', () => {
  expect(cjs).toBe(ours.WebSocket);
  expect(cjs).toBe(ours.default);
  expect(cjs.WebSocket).toBe(ours.WebSocket);
  expect(cjs.Server).toBe(ours.WebSocketServer);
  expect(cjs.WebSocketServer).toBe(ours.WebSocketServer);
  expect(cjs.createWebSocketStream).toBe(ours.createWebSocketStream);
});

describe.each(implementations)('WebSocket of $name', ({ WebSocket }) => {
  test.each([
    ['CONNECTING', 0],
    ['OPEN', 1],
    ['CLOSING', 2],
    ['CLOSED', 3],
  ])('%s is %i, on the class and on its instances, for ever', (name, value) => {
    const expected = { configurable: false, enumerable: true, value, writable: false };
    expect(Object.getOwnPropertyDescriptor(WebSocket, name)).toEqual(expected);
    expect(Object.getOwnPropertyDescriptor(WebSocket.prototype, name)).toEqual(expected);
  });

  test.each([
    ['binaryType', true],
    ['bufferedAmount', false],
    ['extensions', false],
    ['isPaused', false],
    ['onclose', true],
    ['onerror', true],
    ['onmessage', true],
    ['onopen', true],
    ['protocol', false],
    ['readyState', false],
    ['url', false],
  ])('%s is an enumerable accessor of the prototype', (name, hasSetter) => {
    const descriptor = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)!;
    expect(descriptor).toMatchObject({ configurable: true, enumerable: true });
    expect(typeof descriptor.get).toBe('function');
    expect(descriptor.set !== undefined).toBe(hasSetter);
  });

  test('is an EventEmitter, and so is the server', () => {
    expect(new WebSocket(null, undefined, {})).toBeInstanceOf(EventEmitter);
  });

  test('attribute handlers are null at first, are replaced alone, and cleared by anything but a function', () => {
    const socket = new WebSocket(null, undefined, {});
    const kept = () => {};
    for (const [name, event] of [
      ['onopen', 'open'],
      ['onmessage', 'message'],
      ['onclose', 'close'],
      ['onerror', 'error'],
    ] as const) {
      const first = () => {};
      const second = () => {};
      expect(socket[name]).toBe(null);
      socket.on(event, kept);
      socket.addEventListener(event, kept);
      socket[name] = first;
      expect(socket[name]).toBe(first);
      socket[name] = second;
      expect(socket[name]).toBe(second);
      expect(socket.listenerCount(event)).toBe(3);
      socket[name] = 'no function' as never;
      expect(socket[name]).toBe(null);
      expect(socket.listenerCount(event)).toBe(2);
    }
  });

  test('addEventListener ignores duplicates and other types, removeEventListener removes its own only', () => {
    const socket = new WebSocket(null, undefined, {});
    const listener = () => {};
    const object = { handleEvent() {} };
    socket.addEventListener('open', listener);
    socket.addEventListener('open', listener);
    socket.addEventListener('open', object);
    socket.addEventListener('open', object, { once: true });
    socket.addEventListener('foo' as never, listener);
    socket.on('open', listener);
    expect(socket.listenerCount('open')).toBe(3);
    expect(socket.listenerCount('foo')).toBe(0);
    socket.removeEventListener('open', listener);
    expect(socket.listenerCount('open')).toBe(2);
    socket.removeEventListener('open', listener);
    expect(socket.listenerCount('open')).toBe(2);
    socket.removeEventListener('open', object);
    expect(socket.listeners('open')).toEqual([listener]);
  });

  test('DOM listeners get events, with the right this', async () => {
    const implementation = implementations.find((one) => one.WebSocket === WebSocket)!;
    const server = await listen(implementation);
    server.on('connection', (peer) => {
      peer.send('text');
      peer.send(Buffer.from('bytes'));
      peer.close(1000, 'reason');
    });
    const socket = new WebSocket(addressOf(server));
    const seen: unknown[] = [];
    let calls = 0;
    socket.addEventListener('open', function (this: unknown, event) {
      seen.push([event.type, event.target === socket, this === socket]);
    });
    const object = {
      handleEvent(event: ours.MessageEvent) {
        seen.push([event.type, event.target === socket, this === object, event.data]);
      },
    };
    socket.addEventListener('message', object);
    socket.addEventListener('message', () => void calls++, { once: true });
    socket.addEventListener('close', ({ type, code, reason, wasClean, target }) => {
      seen.push([type, code, reason, wasClean, target === socket]);
    });
    await once(socket, 'close');
    await close(server);
    expect(seen).toEqual([
      ['open', true, true],
      ['message', true, true, 'text'],
      ['message', true, true, Buffer.from('bytes')],
      ['close', 1000, 'reason', true, true],
    ]);
    expect(calls).toBe(1);
  });

  test('an error event carries the error', async () => {
    const socket = new WebSocket('ws://127.0.0.1:1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    const event = await new Promise<ours.ErrorEvent>((resolve) => {
      socket.onerror = resolve;
    });
    expect([event.type, event.message, event.target === socket]).toEqual([
      'error',
      'connect ECONNREFUSED 127.0.0.1:1',
      true,
    ]);
    expect(event.error).toMatchObject({ code: 'ECONNREFUSED' });
    await closed;
  });

  test('methods work as bare listeners', async () => {
    const implementation = implementations.find((one) => one.WebSocket === WebSocket)!;
    const server = await listen(implementation);
    const socket = new WebSocket(addressOf(server));
    socket.on('open', socket.close);
    await once(socket, 'close');
    await close(server);
  });

  test('_socket is the raw socket once open, _req is there until then', async () => {
    const implementation = implementations.find((one) => one.WebSocket === WebSocket)!;
    const server = await listen(implementation);
    const socket = new WebSocket(addressOf(server));
    expect([socket._socket, socket._req === null]).toEqual([null, false]);
    await once(socket, 'open');
    expect((socket._socket as unknown as AddressInfo & { remotePort: number }).remotePort).toBe(
      (server.address() as AddressInfo).port,
    );
    expect(socket._req).toBe(null);
    socket.terminate();
    await once(socket, 'close');
    await close(server);
  });
});

describe.each(implementations)('WebSocketServer of $name', (implementation) => {
  const { WebSocket, WebSocketServer } = implementation;

  test.each([
    ['nothing', undefined],
    ['no way to listen', {}],
    ['two ways to listen', { port: 0, noServer: true }],
    ['a server and a port', { port: 0, server: createServer() }],
    ['null for a port', { port: null }],
  ])('throws for %s', (_title, options) => {
    expect(() => new WebSocketServer(options)).toThrow(
      new TypeError('One and only one of the "port", "server", or "noServer" options must be specified'),
    );
  });

  test('shows its options with their defaults', async () => {
    const server = await listen(implementation, { path: '/a' });
    expect(server.options).toMatchObject({
      port: 0,
      path: '/a',
      host: '127.0.0.1',
      clientTracking: true,
      perMessageDeflate: false,
      maxPayload: 104857600,
      skipUTF8Validation: false,
      noServer: false,
      server: null,
      verifyClient: null,
      handleProtocols: null,
      WebSocket,
    });
    expect(server.clients).toBeInstanceOf(Set);
    await close(server);
  });

  test('calls back when it listens, and close may be called again', async () => {
    let server!: InstanceType<typeof WebSocketServer>;
    await new Promise<void>((resolve) => {
      server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, resolve);
    });
    expect(server.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
    let closes = 0;
    server.on('close', () => closes++);
    const first = close(server);
    server.close();
    await first;
    expect(server.address()).toBe(null);
    const error = await new Promise((resolve) => server.close(resolve as (error?: Error) => void));
    expect(error).toEqual(new Error('The server is not running'));
    expect(closes).toBe(2);
  });

  test('reports that it cannot listen', async () => {
    const other = await listen(implementation);
    const server = new WebSocketServer({ port: (other.address() as AddressInfo).port, host: '127.0.0.1' });
    const [error] = await once(server, 'error');
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
    await close(other);
  });

  test('keeps track of its clients, or not', async () => {
    const scene = await Scene.open({ client: implementation, server: implementation });
    expect([...scene.server.clients]).toEqual([scene.peer]);
    let sizeInListener = -1;
    scene.peer.on('close', () => {
      sizeInListener = scene.server.clients.size;
    });
    scene.client.close();
    await scene.finish();
    expect(sizeInListener).toBe(0);
    const server = await listen(implementation, { clientTracking: false });
    expect(server.clients).toBe(undefined);
    await close(server);
  });

  test('with an existing HTTP server takes its upgrades, and leaves it open', async () => {
    const http = createServer((_request, response) => response.end('http'));
    const server = new WebSocketServer({ server: http });
    const events: string[] = [];
    server.on('listening', () => events.push('listening'));
    server.on('connection', () => events.push('connection'));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    cleanups.push(() => close(http));
    expect(server.address()).toEqual(http.address());
    const socket = new WebSocket(addressOf(server));
    await once(socket, 'open');
    const closed = close(server);
    expect(http.listening).toBe(true);
    expect([http.listenerCount('upgrade'), http.listenerCount('error')]).toEqual([0, 0]);
    // The server never closes its clients: `close` comes when the last of them has gone.
    socket.close();
    await closed;
    expect(events).toEqual(['listening', 'connection']);
  });

  test('without a server has no address, and closes at once', async () => {
    const server = new WebSocketServer({ noServer: true });
    expect(() => server.address()).toThrow('The server is operating in "noServer" mode');
    await close(server);
  });

  test('hands out sockets of the class that it is given', async () => {
    class Own extends (WebSocket as typeof ours.WebSocket) {
      greet() {
        this.send('hello');
      }
    }
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', WebSocket: Own });
    server.on('connection', (client) => {
      expect(client).toBeInstanceOf(Own);
      client.greet();
    });
    await once(server, 'listening');
    const socket = new WebSocket(addressOf(server));
    const [data] = await once(socket, 'message');
    expect(String(data)).toBe('hello');
    socket.terminate();
    await close(server);
  });

  test('shouldHandle may be overridden', async () => {
    const server = await listen(implementation, { path: '/never' });
    expect(server.shouldHandle({ url: '/never?x' } as never)).toBe(true);
    expect(server.shouldHandle({ url: '/never/x' } as never)).toBe(false);
    server.shouldHandle = (request) => request.url === '/odd';
    const socket = new WebSocket(addressOf(server, '/odd'));
    await once(socket, 'open');
    socket.terminate();
    await close(server);
  });
});
