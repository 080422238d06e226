/**
 * What: a TCP proxy that cuts its connections at random, by a generator that the test seeds; and one that meddles with upgrades.
 * Must not know: what is said over the connections.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A generator of numbers from 0 to 1 that gives the same row for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Proxy {
  readonly url: string;
  /** How many connections were cut. */
  readonly cuts: number;
  /** Lets everything through from now on. */
  calm(): void;
  /** Cuts all connections now. */
  cut(): void;
  close(): Promise<void>;
}

async function listen(port: number, handle: (down: Socket, up: Socket) => void): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((down) => {
    const up = connect(port, '127.0.0.1');
    const pair = [down, up] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    handle(down, up);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const state = { cuts: 0, isCalm: false };
  const cut = () => {
    for (const pair of pairs) {
      state.cuts++;
      for (const socket of pair) socket.destroy();
    }
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return state.cuts;
    },
    calm: () => {},
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * Each connection is cut after a random number of bytes in either direction, in the middle of what is said, some before
 * it has said anything: what the other side has sent then never arrives.
 */
export async function cuttingProxy(port: number, seed: number, mostBytes: number): Promise<Proxy> {
  const random = seeded(seed);
  const state = { isCalm: false, cuts: 0 };
  const proxy = await listen(port, (down, up) => {
    const limits = [Math.floor(random() * mostBytes), Math.floor(random() * mostBytes)];
    const pass = (from: Socket, to: Socket, which: 0 | 1) => {
      let passed = 0;
      from.on('data', (chunk) => {
        const room = limits[which]! - passed;
        passed += chunk.length;
        if (state.isCalm || room >= chunk.length) {
          to.write(chunk);
          return;
        }
        state.cuts++;
        if (room > 0) to.write(chunk.subarray(0, room));
        to.end();
        from.destroy();
      });
    };
    pass(down, up, 0);
    pass(up, down, 1);
  });
  return {
    ...proxy,
    get cuts() {
      return state.cuts;
    },
    calm() {
      state.isCalm = true;
    },
  };
}

/** What a middle box does with a request for an upgrade. */
export type Meddling = 'refuses' | 'swallows' | 'delays';

/** Plain requests pass; requests for an upgrade are answered with 502, never answered, or passed on after `delayMs`. */
export function meddlingProxy(port: number, meddling: Meddling, delayMs = 700): Promise<Proxy> {
  return listen(port, (down, up) => {
    let head = '';
    const decide = (chunk: Buffer) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      down.off('data', decide);
      const passOn = () => {
        up.write(Buffer.from(head, 'latin1'));
        down.pipe(up);
      };
      up.pipe(down);
      if (!/^upgrade: *websocket/im.test(head)) passOn();
      else if (meddling === 'refuses') {
        down.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      } else if (meddling === 'delays') setTimeout(passOn, delayMs);
    };
    down.on('data', decide);
  });
}
