/**
 * What: WebSocketStream over real sockets: backpressure both ways.
 * Must not know: how it works.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type WebSocketError, WebSocketStream } from '../../../src/entry/websocket.ts';

const MIB = 1024 * 1024;
let server: WebSocketServer;

beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});
afterEach(async () => {
  for (const client of server.clients) client.terminate();
  server.close();
  await once(server, 'close');
});

const address = () => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;

async function connect(): Promise<[WebSocketStream, WebSocket]> {
  const accepted = once(server, 'connection');
  const stream = new WebSocketStream(address());
  const [ws] = (await accepted) as [WebSocket];
  return [stream, ws];
}

/** Another connection has come and gone. */
async function later(): Promise<void> {
  const stream = new WebSocketStream(address());
  await stream.opened;
  stream.close();
  await stream.closed;
}

describe('WebSocketStream', () => {
  it('does not take from the network what is not read', async () => {
    const [stream, ws] = await connect();
    const { readable } = await stream.opened;
    // More than the operating system holds for a connection.
    const count = 64;
    for (let i = 0; i < count; i++) ws.send(Buffer.alloc(MIB, i));
    await later();
    await later();
    expect(ws.bufferedAmount).toBeGreaterThan(16 * MIB);
    const reader = readable.getReader();
    for (let i = 0; i < count; i++) {
      const { value } = await reader.read();
      const bytes = value as Uint8Array;
      expect([bytes.length, bytes[0], bytes[MIB - 1]]).toEqual([MIB, i, i]);
    }
    expect(ws.bufferedAmount).toBe(0);
    stream.close();
    await stream.closed;
  });

  it('lets a writer wait until the server reads on', async () => {
    const [stream, ws] = await connect();
    ws.pause();
    let received = 0;
    ws.on('message', (data: Buffer) => {
      received += data.length;
    });
    const writer = (await stream.opened).writable.getWriter();
    const chunk = new Uint8Array(MIB);
    let written = 0;
    let isWaiting = false;
    while (!isWaiting) {
      let isDone = false;
      const writing = writer.write(chunk).then(() => {
        isDone = true;
      });
      written++;
      await later();
      if (isDone) continue;
      isWaiting = true;
      ws.resume();
      await writing;
    }
    await writer.close();
    await stream.closed;
    expect(received).toBe(written * MIB);
  });

  it('is piped through both ways', async () => {
    const [stream, ws] = await connect();
    ws.on('message', (data: Buffer) => ws.send(`${data} `.repeat(2)));
    const { readable, writable } = await stream.opened;
    const source = new ReadableStream<string>({
      start(controller) {
        for (let i = 0; i < 100; i++) controller.enqueue(`${i}`);
        controller.close();
      },
    });
    const seen: unknown[] = [];
    const sink = new WritableStream<unknown>({
      write(chunk) {
        seen.push(chunk);
        if (seen.length === 100) stream.close({ closeCode: 4000, reason: 'enough' });
      },
    });
    await Promise.all([source.pipeTo(writable, { preventClose: true }), readable.pipeTo(sink)]);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => `${i} ${i} `));
    expect(await stream.closed).toEqual({ closeCode: 4000, reason: 'enough' });
  });

  it('reads everything before the end of the server program, then fails', async () => {
    const [stream, ws] = await connect();
    const reader = (await stream.opened).readable.getReader();
    for (let i = 0; i < 20; i++) ws.send(`${i}`);
    const terminated = once(ws, 'close');
    ws.send('last', () => ws.terminate());
    await terminated;
    const seen: unknown[] = [];
    const error = await (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return null;
        seen.push(value);
      }
    })().catch((reason: unknown) => reason as WebSocketError);
    expect(seen).toEqual([...Array.from({ length: 20 }, (_, i) => `${i}`), 'last']);
    expect(error).toMatchObject({ name: 'WebSocketError', closeCode: 1006 });
    await stream.closed.catch((reason: unknown) => expect(reason).toBe(error));
  });
});
