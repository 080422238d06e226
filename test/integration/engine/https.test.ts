import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Socket as ClientSocket } from 'engine.io-client';
import { expect, it, onTestFinished } from 'vitest';
import { Server } from '../../../src/engine/server/server.ts';
import type { Socket } from '../../../src/engine/server/session.ts';
import { Authority } from '../websocket/certificate.ts';

it.each([
  ['polling', ['polling']],
  ['websocket', ['websocket']],
  ['the upgrade', ['polling', 'websocket']],
])('an engine on an https server works over %s', async (_way, transports) => {
  const authority = new Authority();
  const http = createServer(authority.issue({ ip: '127.0.0.1' }));
  const engine = new Server({ perMessageDeflate: true });
  engine.attach(http);
  engine.use((_req, res, next) => {
    res.setHeader('X-Mine', 'yes');
    next();
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    engine.close();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });
  engine.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  const connection = once(engine, 'connection');
  const url = `https://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const client = new ClientSocket(url, { transports, ca: authority.cert });
  onTestFinished(() => {
    client.close();
  });
  const [socket] = (await connection) as [Socket];
  if (transports.length > 1) await once(socket, 'upgrade');
  const echo = new Promise((resolve) => client.on('message', resolve));
  client.send('x'.repeat(50_000));
  expect(await echo).toBe('x'.repeat(50_000));
  expect(socket.transport.name).toBe(transports.at(-1));
  expect((socket.request.socket as { encrypted?: boolean }).encrypted).toBe(true);
});
