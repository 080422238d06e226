/**
 * What: the HTTP server that WebSocketServer listens with: what its short way takes, and that the rest is Node's.
 * Must not know: frames.
 */
import { once } from 'node:events';
import { IncomingMessage, Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { close, implementations, listen, tautline } from './peers.ts';

const request =
  'GET /path?a=b HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Twice: 1\r\nx-twice: 2\r\nCookie: a=b\r\n';
/** RFC 6455 section 5.7: a masked "Hello". */
const hello = Buffer.from('818537fa213d7f9f4d5158', 'hex');

function open(server: { address(): unknown }): Socket {
  return connect((server.address() as AddressInfo).port, '127.0.0.1');
}
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe.each(implementations)('the request that $name hands out', (implementation) => {
  test.each([
    ['in one packet', (socket: Socket) => void socket.write(`${request}\r\n`)],
    [
      'in many',
      async (socket: Socket) => {
        socket.setNoDelay();
        for (const part of [request.slice(0, 9), request.slice(9, 100), request.slice(100), '\r', '\n']) {
          await new Promise<unknown>((resolve) => socket.write(part, resolve));
        }
      },
    ],
  ])('%s is a genuine one', async (_title, write) => {
    const server = await listen(implementation);
    const seen = new Promise<unknown[]>((resolve) => {
      server.on('connection', async (client, incoming) => {
        const { method, url, httpVersion, headers, rawHeaders, complete } = incoming;
        const isSame = incoming.socket === client._socket;
        const isGenuine = incoming instanceof IncomingMessage;
        const body: unknown[] = [];
        for await (const chunk of incoming) body.push(chunk);
        resolve([
          method,
          url,
          httpVersion,
          headers,
          rawHeaders.slice(0, 4),
          complete,
          isSame,
          isGenuine,
          body,
        ]);
      });
    });
    const socket = open(server);
    await write(socket);
    expect(await seen).toEqual([
      'GET',
      '/path?a=b',
      '1.1',
      {
        host: 'a',
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'x-twice': '1, 2',
        cookie: 'a=b',
      },
      ['Host', 'a', 'Upgrade', 'websocket'],
      true,
      true,
      true,
      [],
    ]);
    socket.destroy();
    await close(server);
  });
});

describe.each(implementations)('the server of $name', (implementation) => {
  test('is an http.Server that answers other requests, several on one connection too', async () => {
    const server = await listen(implementation);
    expect(server._server).toBeInstanceOf(Server);
    const socket = open(server);
    socket.write(
      'GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
    );
    const answers = await readAll(socket);
    expect(answers.match(/HTTP\/1.1 426 Upgrade Required/g)).toHaveLength(2);
    await close(server);
  });

  test('answers what is not HTTP with 400', async () => {
    const server = await listen(implementation);
    const socket = open(server);
    socket.write('nonsense\r\n\r\n');
    expect(await readAll(socket)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    await close(server);
  });

  test('keeps frames that come before an asynchronous verifyClient has decided', async () => {
    let decide: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      decide = resolve;
    });
    let proceed: (result: boolean) => void = () => {};
    const server = await listen(implementation, {
      verifyClient: (_info, callback) => {
        proceed = callback;
        decide();
      },
    });
    const messages: string[] = [];
    const both = new Promise<void>((resolve) => {
      server.on('connection', (client) => {
        client.on('message', (data) => {
          messages.push(data.toString());
          if (messages.length === 2) resolve();
        });
      });
    });
    const socket = open(server);
    socket.write(Buffer.concat([Buffer.from(`${request}\r\n`), hello]));
    await asked;
    await new Promise<unknown>((resolve) => socket.write(hello, resolve));
    proceed(true);
    await both;
    expect(messages).toEqual(['Hello', 'Hello']);
    socket.destroy();
    await close(server);
  });

  test('lets a connection go that ends without a word', async () => {
    const server = await listen(implementation);
    const socket = open(server);
    socket.end();
    socket.resume();
    await once(socket, 'close');
    await close(server);
  });
});

test('a connection that is silent for long is watched by the time limits of Node', async () => {
  const server = await listen(tautline);
  const http = server._server as Server;
  const handedOver = new Promise((resolve) => {
    // Node's parser sets a listener of its own for `drain`; ours has none while it waits.
    http.on('connection', (socket: Socket) =>
      socket.on('newListener', (event) => event === 'drain' && resolve(true)),
    );
  });
  const socket = open(server);
  await handedOver;
  const opened = new Promise((resolve) => server.on('connection', (client) => client.on('message', resolve)));
  socket.write(Buffer.concat([Buffer.from(`${request}\r\n`), hello]));
  expect(String(await opened)).toBe('Hello');
  socket.destroy();
  await close(server);
});

// Node itself waits for such a connection.
test('closes although connections are there that have said nothing', async () => {
  const server = await listen(tautline);
  const connected = once(server._server!, 'connection');
  const socket = open(server);
  await connected;
  const ended = once(socket, 'close');
  await close(server);
  await ended;
});
