/**
 * What: a session that counts, begun by raw requests, and the parts that a client would do by itself.
 */
import { type ClientRequest, request as httpRequest } from 'node:http';
import { onTestFinished } from 'vitest';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ResumableSocket } from '../../../src/engine/server/resumable-session.ts';
import { RawWebSocket } from './raw-websocket.ts';
import { type Answer, ask, type Scene, startEngine } from './scene.ts';

export const PATH = '/engine.io/?EIO=4';

export interface Offer {
  readonly sid: string;
  readonly session?: { version: number; windowMs: number; transports: string[] };
}

export class Counted {
  readonly scene: Scene;
  readonly sid: string;
  readonly offer: Offer;
  readonly socket: ResumableSocket;
  /** What the server's application has received. */
  readonly got: string[] = [];
  /** `interrupted` and `resumed`, in order. */
  readonly told: string[] = [];

  constructor(scene: Scene, offer: Offer) {
    this.scene = scene;
    this.offer = offer;
    this.sid = offer.sid;
    const socket = scene.engine.clients[offer.sid];
    if (!(socket instanceof ResumableSocket)) throw new Error('The session is not resumable.');
    this.socket = socket;
    socket.on('message', (data) => this.got.push(String(data)));
    socket.on('interrupted', (reason) => this.told.push(`interrupted: ${reason}`));
    socket.on('resumed', () => this.told.push('resumed'));
  }

  url(transport: string, query: string): string {
    return `${PATH}&transport=${transport}&sid=${this.sid}&${query}`;
  }

  get(attach: number | string, transport = 'polling', headers = {}): Promise<Answer> {
    return ask(this.scene.port, this.url(transport, `attach=${attach}`), { headers });
  }

  post(from: number | string, body: string, transport = 'polling'): Promise<Answer> {
    return ask(this.scene.port, this.url(transport, `from=${from}`), { method: 'POST', body });
  }

  /** A GET whose answer nobody reads: the client is gone as soon as the server has begun to wait, or has answered. */
  lostGet(attach: number): Promise<void> {
    return lose(this.scene.port, this.url('polling', `attach=${attach}`));
  }

  websocket(attach: number | string): RawWebSocket {
    return new RawWebSocket(this.scene.port, this.url('websocket', `attach=${attach}`));
  }

  send(...messages: string[]): void {
    for (const message of messages) this.socket.send(message);
  }
}

/** Sends a GET, waits until the server has answered, and drops the answer unread. */
function lose(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const req = httpRequest({ host: '127.0.0.1', port, path, agent: false }, (res) => {
      res.destroy();
      resolve();
    });
    req.on('error', () => resolve());
    req.end();
  });
}

export async function startCounting(options: ServerOptions = {}): Promise<Scene> {
  return startEngine(options);
}

export async function beginPolling(scene: Scene, transport = 'polling'): Promise<Counted> {
  const { body } = await ask(scene.port, `${PATH}&transport=${transport}&tautline=1`);
  return new Counted(scene, JSON.parse(body.slice(1).split('\x1e')[0]!) as Offer);
}

export async function beginWebSocket(scene: Scene): Promise<{ session: Counted; ws: RawWebSocket }> {
  const ws = new RawWebSocket(scene.port, `${PATH}&transport=websocket&tautline=1`);
  const [open] = await ws.until(1);
  return { session: new Counted(scene, JSON.parse(String(open).slice(1)) as Offer), ws };
}

/** Packets of a payload. */
export function packets({ body }: Answer): string[] {
  return body.split('\x1e');
}

/** Resolves when a condition holds that the server's events bring about. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** An event stream of bare HTTP: the packets that came, and the id of the last that had one. */
export class RawStream {
  readonly received: string[] = [];
  lastId = '';
  hasEnded = false;
  readonly #request: ClientRequest;
  #rest = '';
  #wake: (() => void)[] = [];

  constructor(port: number, path: string, headers: Record<string, string> = {}) {
    this.#request = httpRequest(
      { host: '127.0.0.1', port, path, headers: { accept: 'text/event-stream', ...headers }, agent: false },
      (res) => {
        res.setEncoding('utf8');
        res.on('data', (chunk: string) => this.#take(chunk));
        res.on('close', () => this.#changed(true));
      },
    );
    this.#request.on('error', () => this.#changed(true));
    this.#request.end();
    onTestFinished(() => this.cut());
  }

  cut(): void {
    this.#request.destroy();
  }

  async until(count: number): Promise<string[]> {
    while (this.received.length < count && !this.hasEnded) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    return this.received;
  }

  async untilEnded(): Promise<void> {
    while (!this.hasEnded) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #changed(hasEnded: boolean): void {
    this.hasEnded ||= hasEnded;
    for (const wake of this.#wake.splice(0)) wake();
  }

  #take(chunk: string): void {
    const events = (this.#rest + chunk).split('\n\n');
    this.#rest = events.pop()!;
    for (const event of events) {
      const fields = Object.fromEntries(
        event.split('\n').map((line) => [line.split(':')[0]!, line.slice(line.indexOf(':') + 1).trim()]),
      );
      if (fields.id !== undefined) this.lastId = fields.id;
      if (fields.data !== undefined) this.received.push(fields.data);
    }
    this.#changed(false);
  }
}
