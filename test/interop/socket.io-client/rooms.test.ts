/**
 * What: shows presence and history to the official client, beside a session of ours that is cut and resumed.
 * Must not know: our client; the session is a raw WebSocket.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io as connect } from 'socket.io-client';
import { expect, it, onTestFinished } from 'vitest';
import { Server, type Socket } from '../../../src/entry/index.ts';
import { RawWebSocket } from '../../integration/engine/raw-websocket.ts';

async function start() {
  const http = createServer();
  const io = new Server(http);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    io.disconnectSockets(true);
    http.closeAllConnections();
    await io.close();
  });
  return { io, port: (http.address() as AddressInfo).port };
}

/** The official client, and every event that it gets, as a row in which a test can wait. */
function official(port: number, transport: 'websocket' | 'polling') {
  const socket = connect(`http://127.0.0.1:${port}`, { transports: [transport], forceNew: true });
  onTestFinished(() => {
    socket.disconnect();
  });
  const events: unknown[][] = [];
  let wake = () => {};
  socket.onAny((...event: unknown[]) => {
    events.push(event);
    wake();
  });
  const until = async (count: number) => {
    while (events.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return events;
  };
  return { socket, until };
}

it.each(['websocket', 'polling'] as const)(
  'the official client over %s is told who is interrupted and back, and nothing of it twice',
  async (transport) => {
    const { io, port } = await start();
    io.on('connection', (socket) => {
      socket.on('enter', (key: string) => io.presence('a').join(socket, { key }, { key }));
    });
    const ours = once(io, 'connection');
    const ws = new RawWebSocket(port, '/socket.io/?EIO=4&transport=websocket&tautline=1');
    const [open] = await ws.until(1);
    ws.send('40');
    const [socket] = (await ours) as [Socket];
    ws.send('42["enter","ada"]');
    await ws.until(3);

    const bob = official(port, transport);
    bob.socket.emit('enter', 'bob');
    const ada = { key: 'ada', meta: { key: 'ada' }, isInterrupted: false };
    const both = [ada, { key: 'bob', meta: { key: 'bob' }, isInterrupted: false }];
    expect(await bob.until(1)).toEqual([['presence:state', { room: 'a', members: both }]]);
    // Ada has been told of Bob before her connection is cut: 3 messages.
    await ws.until(4);
    ws.cut();
    await bob.until(2);
    await io.presence('a').update(socket, { key: 'ada', at: 1 });
    await bob.until(3);
    const { sid } = JSON.parse(String(open).slice(1));
    const again = new RawWebSocket(port, `/socket.io/?EIO=4&transport=websocket&sid=${sid}&attach=3`);
    // What she has missed, in order: that she was interrupted, what was said for her, that she is back.
    const [, ...missed] = await again.until(4);
    const told = missed.map((message) => JSON.parse(String(message).slice(2)));
    const changed = { ...ada, meta: { key: 'ada', at: 1 } };
    const expected = [
      ['presence:update', { room: 'a', member: { ...ada, isInterrupted: true } }],
      ['presence:update', { room: 'a', member: { ...changed, isInterrupted: true } }],
      ['presence:update', { room: 'a', member: changed }],
    ];
    expect(told).toEqual(expected);
    again.send('41');
    const all = await bob.until(5);
    expect(all.slice(1)).toEqual([...expected, ['presence:leave', { room: 'a', member: changed }]]);
  },
);

it.each(['websocket', 'polling'] as const)(
  'the official client over %s gets a history and what follows, in one row, while others speak',
  async (transport) => {
    const { io, port } = await start();
    io.on('connection', (socket) => {
      socket.on('enter', (since: unknown) => io.history('a').join(socket, { since }));
    });
    let said = 0;
    // However fast this machine speaks, nothing may be forgotten.
    const all = { limitEvents: 1_000_000, limitBytes: 100_000_000 };
    const speak = () => io.history('a', all).emit('chat', ++said, Buffer.from([said]));
    for (let i = 0; i < 50; i++) await speak();
    let isOver = false;
    const speaking = (async () => {
      while (!isOver) {
        await speak();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const seen: number[] = [];
    let last: unknown;
    for (const part of [1, 2, 3]) {
      const client = official(port, transport);
      client.socket.emit('enter', last);
      const [start, ...rest] = await client.until(30 * part);
      expect(start).toMatchObject(['history', { room: 'a', isReset: part === 1 }]);
      client.socket.disconnect();
      for (const [event, n, bytes, mark] of rest as [string, number, Uint8Array, { id: string }][]) {
        expect([event, bytes[0]]).toEqual(['chat', n % 256]);
        seen.push(n);
        last = mark.id;
      }
      // While nobody listens, too, something is said.
      const target = said + 20;
      while (said < target) await new Promise((resolve) => setImmediate(resolve));
    }
    isOver = true;
    await speaking;
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => (seen[0] ?? 0) + i));
    expect(seen.length).toBeGreaterThan(170);
  },
);
