/**
 * What: a TCP proxy that lets no connection live long: each is cut after a time drawn by a seeded generator.
 * Must not know: what is said over the connections.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy that runs. It cuts nothing before it is told to. */
export class RestlessProxy {
  readonly url: string;
  /** How many connections were cut. */
  cuts = 0;
  readonly #server: ReturnType<typeof createServer>;
  readonly #pairs = new Map<readonly [Socket, Socket], NodeJS.Timeout | null>();
  readonly #random: () => number;
  readonly #longestMs: number;
  #isRestless = false;

  private constructor(server: ReturnType<typeof createServer>, random: () => number, longestMs: number) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#server = server;
    this.#random = random;
    this.#longestMs = longestMs;
  }

  /** @param longestMs no connection lives longer than this. */
  static async start(port: number, random: () => number, longestMs: number): Promise<RestlessProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new RestlessProxy(server, random, longestMs);
    server.on('connection', (down) => proxy.#take(down, connect(port, '127.0.0.1')));
    return proxy;
  }

  #take(down: Socket, up: Socket): void {
    const pair = [down, up] as const;
    this.#pairs.set(pair, null);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        clearTimeout(this.#pairs.get(pair) ?? undefined);
        this.#pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    down.pipe(up);
    up.pipe(down);
    if (this.#isRestless) this.#doom(pair);
  }

  #doom(pair: readonly [Socket, Socket]): void {
    const [down, up] = pair;
    const way = this.#random();
    const timer = setTimeout(() => {
      this.cuts++;
      // What is under way is lost with a reset at both ends; or one end may still send for a moment, and nobody reads it.
      if (way < 0.5) for (const socket of pair) socket.resetAndDestroy();
      else if (way < 0.75) {
        up.unpipe(down);
        down.end();
      } else {
        down.unpipe(up);
        up.end();
      }
    }, this.#random() * this.#longestMs);
    this.#pairs.set(pair, timer);
  }

  /** From now on connections are cut, those that there are as well. */
  begin(): void {
    this.#isRestless = true;
    for (const pair of this.#pairs.keys()) this.#doom(pair);
  }

  /** From now on new connections live. */
  calm(): void {
    this.#isRestless = false;
  }

  async end(): Promise<void> {
    for (const pair of [...this.#pairs.keys()]) for (const socket of pair) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
