/** What: a POST whose connection is cut after the server has read it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { io } from '../../../src/entry/client-node.ts';
import { Server } from '../../../src/server/server.ts';

/** A server that cuts the connection of the first `pay`, and a client that has used that connection before. */
async function setUp(options: object) {
  const http = createServer();
  const server = new Server(http);
  let carrier: TcpSocket | undefined;
  http.prependListener('request', (request: IncomingMessage) => {
    if (request.method === 'POST') carrier = request.socket;
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const seen = { payments: 0 };
  server.on('connection', (socket) => {
    socket.on('warm', (done: () => void) => done());
    socket.on('pay', () => {
      seen.payments++;
      if (seen.payments === 1) carrier?.destroy();
    });
  });
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const client = io(url, { transports: ['polling'], forceNew: true, ...options });
  onTestFinished(async () => {
    client.disconnect();
    await server.close();
  });
  await client.emitWithAck('warm');
  return { client, seen };
}

it('is not sent twice to a server that keeps no sessions, so no event is handled twice', async () => {
  const { client, seen } = await setUp({ reconnection: false, session: false });
  client.emit('pay');
  const [reason] = await new Promise<unknown[]>((resolve) =>
    client.on('disconnect', (...args) => resolve(args)),
  );
  expect(reason).toBe('transport error');
  expect(seen.payments).toBe(1);
});

it('is sent again where a session counts, over another connection, and is no interruption', async () => {
  const { client, seen } = await setUp({});
  const told: string[] = [];
  for (const event of ['interrupted', 'disconnect']) client.on(event, () => told.push(event));
  client.emit('pay');
  await client.emitWithAck('warm');
  expect([seen.payments, told]).toEqual([1, []]);
});
