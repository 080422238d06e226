/**
 * What: our client in Node over TLS: which servers it trusts, and how it shows who it is.
 */
import { once } from 'node:events';
import { Agent, createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ManagerOptions } from '../../../src/client/options.ts';
import { io } from '../../../src/entry/client-node.ts';
import { Server } from '../../../src/entry/index.ts';
import { Authority } from '../websocket/certificate.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

const authority = new Authority();

async function serve(opts: ServerOptions = {}) {
  const http = createServer({ ...authority.issue({ ip: '127.0.0.1' }), ...opts });
  const server = new Server(http);
  let peer: string | undefined;
  http.on('secureConnection', (socket) => {
    peer = socket.getPeerCertificate().subject?.CN as string | undefined;
  });
  server.on('connection', (socket) => socket.on('who am I', (reply) => reply(peer ?? 'anybody')));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  undo.push(async () => {
    http.closeAllConnections();
    await server.close();
  });
  return `https://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

describe.each([
  ['polling', ['polling']],
  ['websocket', ['websocket']],
  ['the upgrade', ['polling', 'websocket']],
])('over %s', (way, transports) => {
  async function ask(url: string, opts: Partial<ManagerOptions>): Promise<unknown> {
    const socket = io(url, { transports, reconnection: false, ...opts });
    undo.push(() => socket.disconnect());
    const failed = new Promise((_, reject) => socket.on('connect_error', reject));
    const upgraded =
      way === 'the upgrade' && new Promise((resolve) => socket.io.engine.on('upgrade', resolve));
    await Promise.race([failed, upgraded]);
    return Promise.race([failed, socket.emitWithAck('who am I')]);
  }

  it('trusts the authority that it is given', async () => {
    expect(await ask(await serve(), { ca: authority.cert })).toBe('anybody');
  });

  it('trusts anybody when told to', async () => {
    expect(await ask(await serve(), { rejectUnauthorized: false })).toBe('anybody');
  });

  it('trusts nobody else', async () => {
    const url = await serve();
    await expect(ask(url, { ca: new Authority().cert })).rejects.toMatchObject({ code: 'TRANSPORT_ERR_TLS' });
  });

  it('shows its certificate', async () => {
    const url = await serve({ requestCert: true, ca: authority.cert });
    const me = authority.issue({ dns: 'me' });
    expect(await ask(url, { ca: authority.cert, ...me })).toBe('test server');
  });

  it('leaves TLS to an agent', async () => {
    const agent = new Agent({ ca: authority.cert });
    undo.push(() => agent.destroy());
    expect(await ask(await serve(), { agent })).toBe('anybody');
  });
});
