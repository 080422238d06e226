import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { io } from '../../../src/entry/client-node.ts';
import { Server } from '../../../src/entry/index.ts';
import { cuttingProxy } from './cutting-proxy.ts';

const MIB = 2 ** 20;
/** 64 MiB, four times what a session keeps. */
const COUNT = 1024;
const BODY = 'x'.repeat(64 * 1024);

const transports = ['websocket', 'sse', 'polling', 'short-polling'] as const;
const cuts = [
  ['over calm connections', Number.MAX_SAFE_INTEGER],
  ['over connections that are cut within 8 MiB', 8 * MIB],
] as const;

/** What came out of turn, or is another one than was sent. */
function firstWrong(got: readonly (readonly [number, string])[]): number {
  return got.findIndex(([n, body], i) => n !== i || body !== BODY);
}

it.each(transports.flatMap((name) => cuts.map(([how, mostBytes]) => [name, how, mostBytes] as const)))(
  '64 MiB at once go each way over %s %s, once and in order, in one session',
  async (name, _how, mostBytes) => {
    const http = createServer();
    const server = new Server(http, { limits: { bufferedBytes: 80 * MIB } });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const proxy = await cuttingProxy((http.address() as AddressInfo).port, 1, mostBytes);
    const socket = io(proxy.url, {
      forceNew: true,
      transports: [name],
      shortPollingIntervalMs: 20,
      reconnectionDelay: 10,
      reconnectionDelayMax: 50,
    });
    try {
      const up: [number, string][] = [];
      const down: [number, string][] = [];
      const sessions: string[] = [];
      const ends: unknown[] = [];
      let drained = 0;
      const finished = new Promise<void>((resolve) => {
        const took = (_length: number) => {
          if (up.length + down.length >= 2 * COUNT) resolve();
        };
        server.on('connection', (peer) => {
          sessions.push(peer.conn.id);
          peer.on('up', (...message) => took(up.push(message as [number, string])));
          peer.on('over?', (reply) => reply());
          peer.on('disconnect', (...why) => {
            ends.push(why);
            resolve();
          });
          for (let n = 0; n < COUNT; n++) peer.emit('down', n, BODY);
        });
        socket.on('down', (...message) => took(down.push(message as [number, string])));
        socket.on('disconnect', (...why) => {
          ends.push(why);
          resolve();
        });
      });
      socket.io.engine.on('drain', () => {
        if (socket.io.engine.writeBuffer.length === 0) drained = up.length;
      });
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      for (let n = 0; n < COUNT; n++) socket.emit('up', n, BODY);
      await finished;
      proxy.calm();
      expect(ends).toEqual([]);
      // What came twice, or late, would come before this answer.
      await socket.emitWithAck('over?');
      expect([up.length, down.length]).toEqual([COUNT, COUNT]);
      expect([firstWrong(up), firstWrong(down)]).toEqual([-1, -1]);
      expect([sessions.length, ends]).toEqual([1, []]);
      // Not before the better part had arrived: it is a signal that a program can wait for.
      expect(drained).toBeGreaterThan(COUNT / 2);
      if (mostBytes < Number.MAX_SAFE_INTEGER) expect(proxy.cuts).toBeGreaterThan(8);
    } finally {
      socket.disconnect();
      http.closeAllConnections();
      await server.close();
      await proxy.close();
    }
  },
  90_000,
);
