import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import {
  type ErrorEvent,
  EventSource,
  type EventSourceInit,
  type MessageEvent,
  type TransportError,
} from '../../../src/entry/sse.ts';
import { Authority } from '../websocket/certificate.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

type Handler = (request: IncomingMessage, response: ServerResponse, visit: number) => void;
const streamType = { 'content-type': 'text/event-stream' };

async function listen(server: http.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function serve(handler: Handler): Promise<string> {
  let visit = 0;
  return `http://127.0.0.1:${await listen(http.createServer((request, response) => handler(request, response, ++visit)))}`;
}

function open(url: string, init?: EventSourceInit): EventSource {
  const source = new EventSource(url, init);
  cleanUps.push(() => source.close());
  return source;
}

const next = <E extends Event>(source: EventSource, type: string) =>
  new Promise<E>((resolve) => {
    source.addEventListener(type, resolve as (event: Event) => void, { once: true });
  });
const failure = async (source: EventSource) => {
  const { error, message } = await next<ErrorEvent>(source, 'error');
  const { code, description } = error as TransportError;
  return { code, description, message, readyState: source.readyState };
};
const echoHeaders =
  (...names: string[]): Handler =>
  ({ headers }, response) =>
    void response
      .writeHead(200, streamType)
      .end(`data: ${JSON.stringify(names.map((name) => headers[name] ?? null))}\n\n`);

describe('an EventSource in Node', () => {
  it('sends header fields of the program, whose names win', async () => {
    const url = await serve(echoHeaders('authorization', 'accept', 'x-a', 'cookie', 'user-agent'));
    const headers = new Headers({ authorization: 'Bearer t', 'x-a': '1', cookie: 'c=d', accept: '*/*' });
    const { data } = await next<MessageEvent<string>>(open(url, { headers }), 'message');
    expect(JSON.parse(data)).toEqual(['Bearer t', '*/*', '1', 'c=d', null]);
  });

  it('sends user and password of the URL', async () => {
    const url = (await serve(echoHeaders('authorization'))).replace('//', '//us%C3%A9r:p%zz:@');
    const { data } = await next<MessageEvent<string>>(open(url), 'message');
    const expected = `Basic ${Buffer.from('usér:p%zz:').toString('base64')}`;
    expect(JSON.parse(data)).toEqual([expected]);
  });

  it.each([
    ['not to another origin', {}, [null, null, '1']],
    ['to another origin with `withCredentials`', { withCredentials: true }, ['Bearer t', 'c=d', '1']],
  ])('tells credentials, after a redirect, %s', async (_name, init, expected) => {
    const target = await serve(echoHeaders('authorization', 'cookie', 'x-a'));
    const url = await serve((_request, response) => {
      response.writeHead(302, { location: target }).end();
    });
    const headers = { Authorization: 'Bearer t', Cookie: 'c=d', 'X-A': '1' };
    const { data } = await next<MessageEvent<string>>(open(url, { headers, ...init }), 'message');
    expect(JSON.parse(data)).toEqual(expected);
  });

  it('refuses a redirect to another origin with credentials in its URL', async () => {
    const target = await serve(echoHeaders('x-a'));
    const url = await serve((_request, response) => {
      response.writeHead(302, { location: target.replace('//', '//u:p@') }).end();
    });
    expect(await failure(open(url))).toMatchObject({ code: 'TRANSPORT_ERR_PROTOCOL', readyState: 0 });
  });

  it('speaks TLS with the options of node:https', async () => {
    const authority = new Authority();
    const server = https.createServer(authority.issue({ ip: '127.0.0.1' }), (_request, response) => {
      response.writeHead(200, streamType).end('data: safe\n\n');
    });
    const url = `https://127.0.0.1:${await listen(server)}`;
    const source = open(url, { request: { ca: authority.cert } });
    expect((await next<MessageEvent<string>>(source, 'message')).data).toBe('safe');
    expect(await failure(open(url))).toMatchObject({ code: 'TRANSPORT_ERR_TLS', readyState: 0 });
  });

  it.each([
    ['a status', 404, streamType, { code: 'TRANSPORT_ERR_STATUS', description: 404, readyState: 2 }],
    ['a type', 200, {}, { code: 'TRANSPORT_ERR_PROTOCOL', description: 200, readyState: 2 }],
    ['the end of the stream', 200, streamType, { code: 'TRANSPORT_ERR_CLOSED', readyState: 0 }],
  ])('says why it failed: %s', async (_name, status, headers, expected) => {
    const url = await serve((_request, response) => void response.writeHead(status, headers).end());
    expect(await failure(open(url))).toMatchObject(expected);
  });

  it.each([
    ['http://127.0.0.1:2/', 0, 'TRANSPORT_ERR_REFUSED'],
    ['http://127.0.0.1:6000/', 2, 'TRANSPORT_ERR_REFUSED'],
    ['data:text/event-stream,data:x%0A%0A', 2, 'TRANSPORT_ERR_NETWORK'],
  ])('says why it failed: %s', async (url, readyState, code) => {
    expect(await failure(open(url))).toMatchObject({ readyState, code });
  });

  it('comes back when the server was silent for too long', async () => {
    const url = await serve((_request, response, visit) => {
      response.writeHead(200, streamType);
      response.write(`retry: 1\ndata: ${visit}\n\n`);
    });
    const source = open(url, { silenceTimeoutMs: 50 });
    expect((await next<MessageEvent<string>>(source, 'message')).data).toBe('1');
    expect(await failure(source)).toMatchObject({ code: 'TRANSPORT_ERR_TIMEOUT', readyState: 0 });
    expect((await next<MessageEvent<string>>(source, 'message')).data).toBe('2');
  });

  it.each([
    ['in one line', 'data: '],
    ['in many lines', 'data: 1234\n'],
  ])('gives a server up that sends an event above the limit, %s', async (_name, piece) => {
    const url = await serve((request, response) => {
      response.writeHead(200, streamType);
      const write = (): void => {
        while (response.write(piece + 'x'.repeat(piece.endsWith('\n') ? 0 : 100)));
      };
      response.on('drain', write).on('error', () => {});
      request.on('close', () => response.off('drain', write));
      write();
    });
    const source = open(url, { eventLimitChars: 100_000 });
    const { error } = await next<ErrorEvent>(source, 'error');
    expect(error).toMatchObject({ name: 'PeerError', code: 'SSE_EVENT_TOO_LARGE' });
    expect(source.readyState).toBe(2);
  });

  it('comes back without an id that Node cannot send', async () => {
    const url = await serve(({ headers }, response) => {
      response.writeHead(200, streamType).end(`retry: 1\nid: a\u0001\ndata: ${headers['last-event-id']}\n\n`);
    });
    const source = open(url);
    for (let i = 0; i < 2; i++) {
      const { data, lastEventId } = await next<MessageEvent<string>>(source, 'message');
      expect([data, lastEventId]).toEqual(['undefined', 'a\u0001']);
    }
  });

  it('waits for a time that no timer can hold as long as one can', async () => {
    const url = await serve((_request, response, visit) => {
      const retry = visit === 1 ? 'retry: 99999999999999999999\n' : '';
      response.writeHead(200, streamType).end(`${retry}data: ${visit}\n\n`);
    });
    const source = open(url);
    const seen: string[] = [];
    source.onmessage = ({ data }) => seen.push(data);
    await next(source, 'error');
    // Another one comes back meanwhile, more than once.
    const other = open(url, { reconnectionTimeMs: 1 });
    for (let i = 0; i < 3; i++) await next(other, 'message');
    expect(seen).toEqual(['1']);
  });

  it('throws what an option makes Node throw, at once', () => {
    expect(() => new EventSource('http://127.0.0.1:8080/', { headers: { 'x-a': 'a\nb' } })).toThrow(
      TypeError,
    );
    expect(() => new EventSource('http://127.0.0.1:1/', { origin: 'nowhere' })).toThrow(TypeError);
  });

  it('is typed as in browsers', () => {
    expectTypeOf<EventSource['onmessage']>().parameter(0).toEqualTypeOf<MessageEvent<string>>();
    expectTypeOf<EventSource['readyState']>().toEqualTypeOf<0 | 1 | 2>();
    expectTypeOf(EventSource.CLOSED).toEqualTypeOf<2>();
    const typed = (source: EventSource) => {
      source.addEventListener('message', (event) => expectTypeOf(event.data).toEqualTypeOf<string>());
      source.addEventListener('tick', (event) => expectTypeOf(event.lastEventId).toEqualTypeOf<string>());
      source.addEventListener('error', (event) => expectTypeOf(event).toEqualTypeOf<ErrorEvent>());
    };
    expect(typed).toBeInstanceOf(Function);
  });
});
