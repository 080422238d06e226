/**
 * What: the room of examples/room as a child process, a box that can be in its way, and browsers in it.
 * Must not know: what is tested.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const SCRIPT = fileURLToPath(new URL('../../examples/room/server.mjs', import.meta.url));

/** The server of the room; it can be ended and started again on the same port, with what it has kept. */
export class RoomServer {
  port = 0;
  #child: ChildProcess | undefined;
  #data = '';

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  async start(): Promise<void> {
    this.#data ||= await mkdtemp(join(tmpdir(), 'tautline-room-test-'));
    const child = spawn(process.execPath, [SCRIPT], {
      env: { ...process.env, PORT: String(this.port), HOST: '127.0.0.1', ROOM_DATA: this.#data },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let errors = '';
    child.stderr.on('data', (text) => {
      errors += String(text);
    });
    const printed = await Promise.race([
      once(child.stdout, 'data').then(([text]) => String(text)),
      once(child, 'exit').then(([code]) =>
        Promise.reject(new Error(`The room ended with ${code}: ${errors}`)),
      ),
    ]);
    const address = /http:\/\/127\.0\.0\.1:(\d+)/.exec(printed);
    if (address === null) throw new Error(`The room printed no address but: ${printed}`);
    this.port = Number(address[1]);
  }

  /** Ends it and returns its exit code, null if the signal left it no time for one. */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code] = await exit;
    return code as number | null;
  }

  async dispose(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.#data, { recursive: true, force: true });
  }
}

/** A middle box before the room: it passes plain requests on, and upgrades or connections as it is told. */
export class MiddleBox {
  /** Whether WebSockets may pass. */
  upgrades = false;
  /** Whether the room's own connections may pass at all; files always may. */
  connections = true;
  port = 0;
  readonly #server = createServer();

  constructor(room: RoomServer) {
    this.#server.on('request', (incoming, response) => {
      if (!this.connections && isConnection(incoming)) return response.writeHead(503).end();
      const { method, url, headers } = incoming;
      const onward = request({ host: '127.0.0.1', port: room.port, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
      response.on('close', () => onward.destroy());
      incoming.pipe(onward);
    });
    this.#server.on('upgrade', (incoming, socket, head) => {
      socket.on('error', () => socket.destroy());
      if (!this.upgrades || !this.connections) {
        return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
      const onward = connect(room.port, '127.0.0.1', () => {
        const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
        for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
          lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
        }
        onward.write(`${lines.join('\r\n')}\r\n\r\n`);
        onward.write(head);
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
    });
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async dispose(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

const isConnection = ({ url = '' }: IncomingMessage): boolean => /^\/socket\.io\/\?/.test(url);

/** A person's window on a room, with an own storage. What goes wrong in the page is collected in `faults`. */
export interface Guest {
  page: Page;
  faults: string[];
}

export async function enter(
  browser: Browser,
  address: string,
  { name, ...options }: { name?: string } & BrowserContextOptions = {},
): Promise<Guest> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // A server that is away is no fault of the page.
    const isNetwork = /Failed to load resource|WebSocket connection|net::ERR/.test(message.text());
    if (message.type() === 'error' && !isNetwork) faults.push(message.text());
  });
  if (name !== undefined) {
    await page.addInitScript((text) => {
      localStorage.setItem('tautline-room.name', JSON.stringify(text));
    }, name);
  }
  await page.goto(address);
  return { page, faults };
}
