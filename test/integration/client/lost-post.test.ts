/** What: a POST whose connection is cut after the server has read it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { expect, it } from 'vitest';
import { io } from '../../../src/entry/client-node.ts';
import { Server } from '../../../src/server/server.ts';

it('is not sent twice to a server that keeps no sessions, so no event is handled twice', async () => {
  const http = createServer();
  const server = new Server(http);
  let carrier: TcpSocket | undefined;
  http.prependListener('request', (request: IncomingMessage) => {
    if (request.method === 'POST') carrier = request.socket;
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  let payments = 0;
  server.on('connection', (socket) => {
    socket.on('warm', (done: () => void) => done());
    socket.on('pay', () => {
      payments++;
      if (payments === 1) carrier?.destroy();
    });
  });
  const options = { transports: ['polling'], reconnection: false, session: false };
  const client = io(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, options);
  try {
    await client.emitWithAck('warm');
    client.emit('pay');
    const [reason] = await new Promise<unknown[]>((resolve) =>
      client.on('disconnect', (...args) => resolve(args)),
    );
    expect(reason).toBe('transport error');
    expect(payments).toBe(1);
  } finally {
    client.disconnect();
    await server.close();
  }
});
