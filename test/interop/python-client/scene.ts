/**
 * What: a server on a free port, a gate before it that can be shut, and the Python client as a process.
 * Must not know: what is said.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Debian's Python, which has the package `python3-websockets`; another may lie before it in the path. */
const PYTHON = process.env.TAUTLINE_PYTHON ?? '/usr/bin/python3';
const peerScript = fileURLToPath(new URL('peer.py', import.meta.url));
const mainScript = fileURLToPath(new URL('../../../examples/python-client/main.py', import.meta.url));

export type Fact = Record<string, unknown>;

/** What to undo after a test, the latest first. */
const ends: (() => void | Promise<void>)[] = [];

export async function endScene(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}

export function afterwards(end: () => void | Promise<void>): void {
  ends.push(end);
}

/** An HTTP server that listens. */
export async function listen(http: HttpServer = createServer()): Promise<{ http: HttpServer; port: number }> {
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterwards(() => http.closeAllConnections());
  return { http, port: (http.address() as AddressInfo).port };
}

/** A gate before a port. Who comes to a shut gate is turned away; who had come before is cut off. */
export async function openGate(port: number) {
  const sockets = new Set<Socket>();
  let isShut = false;
  const gate = createTcpServer((down) => {
    if (isShut) {
      down.destroy();
      return;
    }
    const up = connect(port, '127.0.0.1');
    for (const socket of [down, up]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        down.destroy();
        up.destroy();
      });
    }
    down.pipe(up).pipe(down);
  }).listen(0, '127.0.0.1');
  await once(gate, 'listening');
  afterwards(() => {
    for (const socket of sockets) socket.destroy();
    gate.close();
  });
  return {
    url: `http://127.0.0.1:${(gate.address() as AddressInfo).port}`,
    shut() {
      isShut = true;
      for (const socket of sockets) socket.destroy();
    },
    open() {
      isShut = false;
    },
  };
}

/** Starts a program and hands out its lines; `say` writes one to it. */
function startProgram(script: string, ...words: string[]) {
  const child: ChildProcess = spawn(PYTHON, ['-B', script, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
  afterwards(() => void child.kill());
  let complaint = '';
  child.stderr!.on('data', (data) => {
    complaint += String(data);
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    next: async (): Promise<string> => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`The program has ended: ${complaint}`);
      return value;
    },
    say: (line = '') => void child.stdin!.write(`${line}\n`),
    endInput: () => void child.stdin!.end(),
    /** What else it tells, to its end. */
    rest: async (): Promise<string[]> => {
      const told: string[] = [];
      for (;;) {
        const { value, done } = await lines.next();
        if (done) break;
        told.push(value);
      }
      if (complaint !== '') throw new Error(complaint);
      return told;
    },
  };
}

/** Starts the peer, each line of which is a fact; `say` tells it that the test has got so far. */
export function startPeer(...words: string[]) {
  const { next, rest, say } = startProgram(peerScript, ...words);
  return {
    say,
    next: async () => JSON.parse(await next()) as Fact,
    rest: async () => (await rest()).map((line) => JSON.parse(line) as Fact),
  };
}

/** Starts the example itself. */
export function startExample(...words: string[]) {
  return startProgram(mainScript, ...words);
}
