import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import compression from 'compression';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createEventStream,
  EventChannel,
  EventHistory,
  EventSource,
  type EventStream,
  type EventStreamOptions,
  type EventStreamRequest,
  type EventStreamResponse,
  type MessageEvent,
} from '../../../src/entry/sse.ts';
import { Authority } from '../websocket/certificate.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listen<S extends Server>(server: S): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    server.close();
    if ('closeAllConnections' in server) (server as unknown as http.Server).closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

type Handler = (request: EventStreamRequest, response: EventStreamResponse) => void;

const authority = new Authority();
const tls = { ...authority.issue({ ip: '127.0.0.1' }), ca: authority.cert };

/** The servers on which an event stream must work; each gives a way to ask it. */
const servers: Record<string, (handler: Handler) => Promise<() => Promise<Client>>> = {
  async http(handler) {
    const port = await listen(http.createServer(handler));
    return () => ask(http.request({ port, host: '127.0.0.1' }));
  },
  async https(handler) {
    const port = await listen(https.createServer(tls, handler));
    return () => ask(https.request({ port, host: '127.0.0.1', ca: tls.ca }));
  },
  async http2(handler) {
    const server = http2.createServer();
    server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) =>
      handler(request, response),
    );
    const port = await listen(server);
    const session = http2.connect(`http://127.0.0.1:${port}`);
    cleanUps.push(() => session.destroy());
    return async () => {
      const stream = session.request({ ':path': '/' });
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      return new Client(Number(headers[':status']), headers, stream, () => stream.close());
    };
  },
  async Express(handler) {
    const app = express();
    app.get('/', handler);
    const port = await listen(http.createServer(app));
    return () => ask(http.request({ port, host: '127.0.0.1' }));
  },
  async 'Express that compresses'(handler) {
    const app = express();
    app.use(compression({ threshold: 0 }));
    app.get('/', (request, response) => handler(request, response));
    const port = await listen(http.createServer(app));
    return () => ask(http.request({ port, host: '127.0.0.1', headers: { 'accept-encoding': 'gzip' } }));
  },
};

/** A client that reads what comes, if it does. */
class Client {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: NodeJS.ReadableStream;
  readonly leave: () => void;
  text = '';

  constructor(status: number, headers: object, body: NodeJS.ReadableStream, leave: () => void) {
    this.status = status;
    this.headers = headers as Record<string, unknown>;
    this.body = body;
    this.leave = leave;
    body.on('error', () => {});
  }

  /** Reads until the text is there. */
  async until(text: string): Promise<string> {
    if (this.text === '') this.body.setEncoding('utf8');
    while (!this.text.includes(text)) {
      const [chunk] = (await once(this.body, 'data')) as [string];
      this.text += chunk;
    }
    return this.text;
  }
}

async function ask(request: http.ClientRequest): Promise<Client> {
  request.on('error', () => {});
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return new Client(response.statusCode!, response.headers, response, () => request.destroy());
}

/** A server that opens streams, and the way to get one. */
async function setUp(name: string, options: EventStreamOptions = {}) {
  let took: (stream: EventStream) => void = () => {};
  const connect = await servers[name]!((request, response) => {
    took(createEventStream(request, response, options));
  });
  return async () => {
    const stream = new Promise<EventStream>((resolve) => {
      took = resolve;
    });
    return { client: await connect(), stream: await stream };
  };
}

describe.each(Object.keys(servers))('an event stream over %s', (name) => {
  it('opens before the first event, and passes each on at once', async () => {
    const connect = await setUp(name, { retryMs: 500 });
    const { client, stream } = await connect();
    expect(client.status).toBe(200);
    expect(client.headers['content-type']).toBe('text/event-stream');
    expect(client.headers['content-encoding']).toBeUndefined();
    expect(client.headers['cache-control']).toBe('no-cache, no-transform');
    await client.until('retry: 500\n\n');
    stream.send({ data: 'one' });
    await client.until('data: one\n\n');
    stream.send({ event: 'x', data: 'two\nlines', id: '2' });
    await client.until('event: x\nid: 2\ndata: two\ndata: lines\n\n');
    stream.close();
    await once(client.body.resume(), 'end');
  });

  it('notices that the client leaves', async () => {
    const connect = await setUp(name);
    const { client, stream } = await connect();
    await client.until(':');
    client.leave();
    expect(await stream.closed).toBe('closedByPeer');
    expect(stream.send({ data: 'x' })).toBe(false);
  });

  it('makes a fast sender wait for a slow reader, and loses nothing', async () => {
    const connect = await setUp(name);
    const { client, stream } = await connect();
    const data = 'x'.repeat(64 * 1024);
    const count = 200;
    let waits = 0;
    const sending = (async () => {
      for (let i = 0; i < count; i++) {
        if (!stream.send({ id: `${i}`, data })) {
          waits++;
          if (!(await stream.ready())) throw new Error('The stream is over');
        }
      }
      stream.close();
    })();
    let length = 0;
    let lines = 0;
    for await (const chunk of client.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      for (const byte of chunk) if (byte === 0x69) lines++;
    }
    await sending;
    expect(waits).toBeGreaterThan(0);
    expect(length).toBeGreaterThan(count * data.length);
    // `id: ` twice has the letter once in `id`.
    expect(lines).toBe(count);
  });

  it('cuts a client off that does not read', async () => {
    const connect = await setUp(name, { bufferLimitBytes: 100_000 });
    const { client, stream } = await connect();
    client.body.pause();
    const data = 'x'.repeat(50_000);
    for (let i = 0; i < 10_000 && stream.isOpen; i++) {
      stream.send({ data });
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await stream.closed).toBe('overflowed');
  });
});

describe('an event stream behind compression', () => {
  it('is compressed where the program wants it, and still passes each event on at once', async () => {
    const headers = { 'cache-control': 'no-cache' };
    let stream: EventStream | undefined;
    const app = express();
    app.use(compression({ threshold: 0, filter: () => true }));
    app.get('/', (request, response) => {
      stream = createEventStream(request, response, { headers });
    });
    const port = await listen(http.createServer(app));
    const source = new EventSource(`http://127.0.0.1:${port}/`);
    cleanUps.push(() => source.close());
    await once(source as never, 'open');
    for (const data of ['one', 'two', 'three']) {
      const message = next(source, 'message');
      stream!.send({ data });
      expect((await message).data).toBe(data);
    }
    const client = await ask(
      http.request({ port, host: '127.0.0.1', headers: { 'accept-encoding': 'gzip' } }),
    );
    expect(client.headers['content-encoding']).toBe('gzip');
    client.leave();
    stream!.close();
  });
});

const next = (source: EventSource, type: string) =>
  new Promise<MessageEvent<string>>((resolve) => {
    source.addEventListener(type, resolve as (event: Event) => void, { once: true });
  });

describe('a client that loses its connection again and again', () => {
  it('gets every event of a channel with a history once and in order', async () => {
    const channel = new EventChannel({ history: new EventHistory() });
    const port = await listen(
      http.createServer((request, response) => {
        channel.join(createEventStream(request, response, { retryMs: 1 }));
      }),
    );
    const source = new EventSource(`http://127.0.0.1:${port}/`);
    cleanUps.push(() => source.close());
    const got: number[] = [];
    let resolve: () => void = () => {};
    const done = new Promise<void>((r) => {
      resolve = r;
    });
    const total = 500;
    source.onmessage = ({ data }) => {
      got.push(Number(data));
      if (got.length === total) resolve();
    };
    source.addEventListener('gap', () => got.push(-1));
    await next(source, 'open');
    // The first one makes the client know where it is.
    for (let i = 0; i < total; i++) {
      channel.publish({ data: `${i}` });
      if (i % 7 === 0) await new Promise((r) => setImmediate(r));
      if (i % 41 === 20) for (const stream of [...channel.streams]) stream.stream!.destroy();
    }
    await done;
    expect(got).toEqual(Array.from({ length: total }, (_, i) => i));
  });

  it('is told when it was away for too long', async () => {
    const channel = new EventChannel({ history: new EventHistory({ limitEvents: 3 }) });
    let isAway = false;
    const port = await listen(
      http.createServer((request, response) => {
        if (isAway) response.destroy();
        else channel.join(createEventStream(request, response, { retryMs: 1 }));
      }),
    );
    const source = new EventSource(`http://127.0.0.1:${port}/`);
    cleanUps.push(() => source.close());
    await next(source, 'open');
    const first = next(source, 'message');
    channel.publish({ data: 'first' });
    const { lastEventId } = await first;
    isAway = true;
    const error = next(source, 'error');
    channel.close();
    await error;
    for (let i = 0; i < 10; i++) channel.publish({ data: `${i}` });
    const gap = next(source, 'gap');
    isAway = false;
    expect(JSON.parse((await gap).data)).toEqual({ lastEventId });
    const after = next(source, 'message');
    channel.publish({ data: 'after' });
    expect((await after).data).toBe('after');
  });
});
