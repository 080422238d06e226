/**
 * What: `wss:`, server and client, with certificates of an authority made for the test; what fails says why.
 * Must not know: frames.
 */
import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { CertificateAuthority } from './certificates.ts';
import { close, pairings, tautline } from './peers.ts';

const authority = new CertificateAuthority();
const stranger = new CertificateAuthority('Somebody else');
const identity = authority.issue(['localhost', '127.0.0.1']);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listenSecure(implementation: typeof tautline, options: ServerOptions = identity) {
  const server = createServer(options);
  const accepting = new implementation.WebSocketServer({ server });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => close(server));
  return { accepting, address: `wss://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function failureOf(address: string, options: object): Promise<Error & { code?: string }> {
  const socket = new tautline.WebSocket(address, options);
  const closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  const error = await new Promise<Error>((resolve) => socket.on('error', resolve));
  expect(await closed).toBe(1006);
  return error;
}

describe.each(pairings)('$client.name to $server.name', ({ client, server }) => {
  test('echoes over TLS, large messages and small ones', async () => {
    const { accepting, address } = await listenSecure(server);
    let isSecure: unknown;
    accepting.on('connection', (socket, request) => {
      isSecure = (request.socket as TLSSocket).encrypted;
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
    });
    const socket = new client.WebSocket(address, { ca: authority.cert });
    await once(socket, 'open');
    for (const size of [0, 5, 126, 5_000, 70_000, 1_000_000]) {
      const message = Buffer.alloc(size, `${size} `);
      socket.send(message);
      const [back] = (await once(socket, 'message')) as [Buffer];
      expect(message.equals(back)).toBe(true);
    }
    expect(isSecure).toBe(true);
    expect((socket._socket as TLSSocket).authorized).toBe(true);
    socket.close(1000, 'done');
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([1000, 'done']);
  });

  test('knows that a connection is secure when it verifies the client', async () => {
    const secure = createServer(identity);
    const seen: unknown[] = [];
    new server.WebSocketServer({
      server: secure,
      verifyClient: (info) => {
        seen.push(info.secure);
        return true;
      },
    });
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    cleanups.push(() => close(secure));
    const socket = new client.WebSocket(`wss://127.0.0.1:${(secure.address() as AddressInfo).port}`, {
      ca: authority.cert,
    });
    await once(socket, 'open');
    socket.terminate();
    await once(socket, 'close');
    expect(seen).toEqual([true]);
  });

  test('presents a certificate of the client', async () => {
    const { accepting, address } = await listenSecure(server, {
      ...identity,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const names = new Promise((resolve) => {
      accepting.on('connection', (socket, request) => {
        resolve((request.socket as TLSSocket).getPeerCertificate().subject.CN);
        socket.close();
      });
    });
    const { key, cert } = authority.issue(['client.example.com']);
    const socket = new client.WebSocket(address, { ca: authority.cert, key, cert });
    expect(await names).toBe('client.example.com');
    await once(socket, 'close');
  });
});

describe('a certificate that cannot be trusted is reported as such', () => {
  test.each([
    ['of an unknown authority', identity, {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [
      'of another authority',
      stranger.issue(['127.0.0.1']),
      { ca: authority.cert },
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'that is too old',
      authority.issue(['127.0.0.1'], { validDays: [-9, -2] }),
      { ca: authority.cert },
      'CERT_HAS_EXPIRED',
    ],
    [
      'that is not valid yet',
      authority.issue(['127.0.0.1'], { validDays: [2, 9] }),
      { ca: authority.cert },
      'CERT_NOT_YET_VALID',
    ],
    [
      'for another name',
      authority.issue(['example.com']),
      { ca: authority.cert },
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('%s', async (_title, served, options, code) => {
    const { accepting, address } = await listenSecure(tautline, served);
    accepting.on('connection', () => expect.unreachable());
    expect(await failureOf(address, options)).toMatchObject({ code });
  });

  test('unless the client does not want to know', async () => {
    const { address } = await listenSecure(tautline, stranger.issue(['example.com']));
    const socket = new tautline.WebSocket(address, { rejectUnauthorized: false });
    await once(socket, 'open');
    expect((socket._socket as TLSSocket).authorized).toBe(false);
    socket.terminate();
    await once(socket, 'close');
  });

  test('or checks the name itself', async () => {
    const { address } = await listenSecure(tautline, authority.issue(['example.com']));
    const names: string[] = [];
    const socket = new tautline.WebSocket(address, {
      ca: authority.cert,
      servername: 'example.com',
      checkServerIdentity: (host) => {
        names.push(host);
        return undefined;
      },
    });
    await once(socket, 'open');
    expect(names).toEqual(['example.com']);
    socket.terminate();
    await once(socket, 'close');
  });
});

test('a client that speaks TLS to a plain server is told so', async () => {
  const server = new tautline.WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const error = await failureOf(`wss://127.0.0.1:${port}`, {});
  expect(error.code).toMatch(/^(ERR_SSL_|EPROTO|ECONNRESET)/);
  await close(server);
});

test('RFC 6455 4.1 (5): the server name is sent for names, not for addresses', async () => {
  const { address } = await listenSecure(tautline);
  const seen: unknown[] = [];
  for (const host of ['localhost', '127.0.0.1']) {
    const socket = new tautline.WebSocket(address.replace('127.0.0.1', host), {
      ca: authority.cert,
      family: 4,
    });
    await once(socket, 'open');
    seen.push((socket._socket as TLSSocket & { servername?: string }).servername ?? null);
    socket.terminate();
    await once(socket, 'close');
  }
  expect(seen[0]).toBe('localhost');
  expect(seen[1]).not.toBe('127.0.0.1');
});
