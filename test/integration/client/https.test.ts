/**
 * What: clients in Node over TLS, ours and the official one: which servers they trust, and how they show who they are.
 */
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { io as official } from 'socket.io-client';
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

async function serve(opts: ServerOptions = {}, onCipher?: (name: string) => void) {
  const http = createServer({ ...authority.issue({ ip: '127.0.0.1' }), ...opts });
  const server = new Server(http);
  let peer: string | undefined;
  http.on('secureConnection', (socket) => {
    onCipher?.(socket.getCipher().name);
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

const ways: [string, string[]][] = [
  ['polling', ['polling']],
  ['websocket', ['websocket']],
  ['the upgrade', ['polling', 'websocket']],
];

describe.each([
  ...ways.map(([way, transports]) => ({ who: 'our client', io, way, transports })),
  ...ways.map(([way, transports]) => ({
    who: 'the official client',
    io: official as unknown as typeof io,
    way,
    transports,
  })),
])('$who over $way', ({ who, io, way, transports }) => {
  async function ask(url: string, opts: Partial<ManagerOptions>): Promise<unknown> {
    const socket = io(url, { transports, reconnection: false, forceNew: true, ...opts });
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
    await expect(ask(url, { ca: new Authority().cert })).rejects.toMatchObject({
      type: 'TransportError',
      ...(who === 'our client' && { code: 'TRANSPORT_ERR_TLS' }),
    });
  });

  it('shows its certificate', async () => {
    const url = await serve({ requestCert: true, ca: authority.cert });
    const me = authority.issue({ dns: 'me' });
    expect(await ask(url, { ca: authority.cert, ...me })).toBe('test server');
  });

  it('opens its key with the passphrase', async () => {
    const url = await serve({ requestCert: true, ca: authority.cert });
    const { cert, key } = authority.issue({ dns: 'me' });
    const closedKey = createPrivateKey(key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    }) as string;
    const opts = { ca: authority.cert, cert, key: closedKey, passphrase: 'secret' };
    expect(await ask(url, opts)).toBe('test server');
  });

  it('offers the ciphers that it is given', async () => {
    const ciphers = 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384';
    const used: string[] = [];
    const url = await serve({ maxVersion: 'TLSv1.2' }, (name) => used.push(name));
    await ask(url, { ca: authority.cert, ciphers });
    expect(new Set(used).size).toBe(1);
    expect(ciphers.split(':')).toContain(used[0]);
  });

  it('leaves TLS to an agent', async () => {
    const agent = new Agent({ ca: authority.cert });
    undo.push(() => agent.destroy());
    expect(await ask(await serve(), { agent })).toBe('anybody');
  });
});
