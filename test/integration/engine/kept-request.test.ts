import { once } from 'node:events';
import { createServer, IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keptRequest } from '../../../src/engine/server/kept-request.ts';
import { type EngineRequest, queryOf } from '../../../src/engine/server/request.ts';

/** An upgrade request as Node's server gives it. */
async function upgradeRequest(): Promise<EngineRequest> {
  const http = createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const client = connect((http.address() as AddressInfo).port, '127.0.0.1');
  client.write(
    'GET /engine.io/?EIO=4&room=a%20b HTTP/1.1\r\nHost: me\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Cookie: a=1\r\nCookie: b=2\r\nX-Mine: yes\r\n\r\n',
  );
  const [request] = (await once(http, 'upgrade')) as [EngineRequest];
  onTestFinished(async () => {
    request.socket.destroy();
    client.destroy();
    http.close();
    await once(http, 'close');
  });
  return request;
}

describe('the request that is kept of a WebSocket', () => {
  it('has what programs read, and is an IncomingMessage', async () => {
    const request = await upgradeRequest();
    const kept = keptRequest(request) as EngineRequest;
    expect(kept).not.toBe(request);
    expect(kept).toBeInstanceOf(IncomingMessage);
    expect(kept.headers).toEqual({
      host: 'me',
      connection: 'Upgrade',
      upgrade: 'websocket',
      cookie: 'a=1; b=2',
      'x-mine': 'yes',
    });
    for (const name of [
      'url',
      'method',
      'httpVersion',
      'socket',
      'connection',
      'complete',
      'trailers',
    ] as const) {
      expect(kept[name], name).toEqual(request[name]);
    }
    expect(queryOf(kept)).toEqual({ EIO: '4', room: 'a b' });
    expect(kept._query).toBe(kept._query);
    expect(kept.rawHeaders).toContain('x-mine');
  });

  it('takes properties and listeners, as a request does', async () => {
    const kept = keptRequest(await upgradeRequest()) as EngineRequest & { user?: string };
    kept.user = 'me';
    let calls = 0;
    kept.on('mine', () => calls++);
    kept.emit('mine');
    expect([kept.user, calls]).toEqual(['me', 1]);
  });

  it('is the request itself when a program has put something on it', async () => {
    const request = (await upgradeRequest()) as EngineRequest & { user?: string };
    request.user = 'me';
    expect(keptRequest(request)).toBe(request);
  });

  it('is the request itself when a program listens to it', async () => {
    const request = await upgradeRequest();
    request.on('close', () => {});
    expect(keptRequest(request)).toBe(request);
  });
});
