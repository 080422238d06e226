/** What: an application whose callbacks throw, and the connections beside it. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocketServer } from '../../../src/ws/server.ts';
import { WebSocket } from '../../../src/ws/websocket.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Takes uncaught exceptions away from the test runner until the end of the test. */
function catchUncaught(): unknown[] {
  const caught: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => caught.push(error));
  ends.push(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  return caught;
}

it('a send callback that throws is uncaught, and other connections go on writing in that turn and after it', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  ends.push(() => server.close());
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const peers: WebSocket[] = [];
  server.on('connection', (peer) => peers.push(peer));
  const clients: WebSocket[] = [];
  for (let i = 0; i < 2; i++) {
    const client = new WebSocket(url);
    clients.push(client);
    ends.push(() => client.terminate());
    await once(client, 'open');
  }
  const caught = catchUncaught();
  const received: string[] = [];
  const all = new Promise<void>((resolve) => {
    clients[1]!.on('message', (data) => {
      received.push(String(data));
      if (received.length === 2) resolve();
    });
  });
  const died = once(peers[0]!, 'close');
  peers[0]!.send('lost', () => {
    throw new Error('thrown by the application');
  });
  (peers[0]!._socket as Socket).destroy();
  peers[1]!.send('first');
  await died;
  peers[1]!.send('second');
  await all;
  expect(received).toEqual(['first', 'second']);
  expect(caught).toMatchObject([{ message: 'thrown by the application' }]);
});
