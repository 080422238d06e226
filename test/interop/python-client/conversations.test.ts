/**
 * What: holds the conversations that stand in docs/protocol with a server, and compares every byte.
 * Must not know: what the packets mean.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { defineContract, type StandardSchema } from '../../../src/entry/contract.ts';
import { Server } from '../../../src/entry/index.ts';
import WebSocket from '../../../src/entry/ws.ts';
import { afterwards, endScene, listen } from './scene.ts';

function read(name: string): string {
  return readFileSync(new URL(`../../../docs/protocol/${name}.md`, import.meta.url), 'utf8');
}

const whole = [...read('conversations').matchAll(/^## (.*)\n[^`]*```text\n([^`]*)```/gm)].map(
  ([, title, lines]) => [title!, lines!.trim().split('\n')] as const,
);

/** Where only the lines after the CONNECT stand on a page, over one connection: what goes before them. */
const PRELUDE = [
  'A> GET /socket.io/?EIO=4&transport=websocket&tautline=1',
  'A< OPEN',
  'A> 40',
  'A< 40{"sid":"ID"}',
];
const parts = ['outbox', 'streams', 'README', 'refusals'].map((name) => {
  const [, lines] = /```text\n([<>][^`]*)```/.exec(read(name)) ?? [];
  return [
    name,
    [
      ...PRELUDE,
      ...lines!
        .trim()
        .split('\n')
        .map((line) => `A${line}`),
    ],
  ] as const;
});

afterEach(endScene);

/** What comes over one connection, in pieces of its kind. */
class Incoming {
  readonly #pieces: string[] = [];
  #wake: () => void = () => {};

  push(piece: string): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  async next(): Promise<string> {
    while (this.#pieces.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#pieces.shift()!;
  }
}

/** One connection of the page's client. */
interface Connection extends Incoming {
  send(text: string): void;
  cut(): void;
}

const hex = (bytes: Buffer) => `<${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}>`;

async function openWebSocket(url: string): Promise<Connection> {
  const incoming = new Incoming();
  const socket = new WebSocket(url.replace('http', 'ws'));
  socket.on('message', (data, isBinary) => incoming.push(isBinary ? hex(data as Buffer) : String(data)));
  socket.on('close', (code, reason) => incoming.push(`closed ${code} ${String(reason)}`.trim()));
  await once(socket, 'open');
  return Object.assign(incoming, {
    send: (text: string) => {
      const bytes = /^<(.*)>$/.exec(text)?.[1];
      socket.send(bytes ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : text);
    },
    cut: () => socket.terminate(),
  });
}

/** A request whose answer is one piece, or, if it is an event stream, one a chunk that ends with an empty line. */
function openRequest(method: string, url: string, body: string): Connection {
  const incoming = new Incoming();
  const headers = method === 'POST' ? { 'content-type': 'text/plain;charset=UTF-8' } : {};
  const sent: ClientRequest = request(url, { method, headers, agent: false }, (answer) => {
    let text = '';
    const isStream = answer.headers['content-type'] === 'text/event-stream';
    answer.setEncoding('utf8').on('error', () => {});
    answer.on('data', (chunk: string) => {
      text += chunk;
      const events = isStream ? text.split('\n\n') : [text];
      text = events.pop()!;
      for (const event of events) incoming.push(`${event}⏎⏎`.replaceAll('\n', '⏎'));
    });
    answer.on('end', () => {
      if (!isStream) incoming.push(`${answer.statusCode} ${text}`.replaceAll('\x1e', '␞'));
    });
  });
  sent.on('error', () => {});
  sent.end(body.replaceAll('␞', '\x1e'));
  return Object.assign(incoming, {
    send: () => {
      throw new Error('A request says nothing more.');
    },
    cut: () => sent.destroy(),
  });
}

/** Plays the client's lines of a conversation; gives the lines as they were held, with the ids replaced. */
async function hold(url: string, lines: readonly string[]): Promise<string[]> {
  const connections = new Map<string, Connection>();
  const ids = { SID: '', ID: '' };
  const held: string[] = [];
  for (const line of lines) {
    const [, name = '', mark = '', words = '', lost = ''] =
      /^(\w)(>| cut|<| (?=closed)) ?(.*?)( ✗)?$/.exec(line) ?? [];
    const connection = connections.get(name);
    const [, method, path, body = ''] = /^(GET|POST) (\S+) ?(.*)$/.exec(words) ?? [];
    if (mark === '>' && method && path) {
      const address = url + path.replace('SID', ids.SID);
      const isWebSocket = path.includes('transport=websocket');
      const opened = isWebSocket ? await openWebSocket(address) : openRequest(method, address, body);
      connections.set(name, opened);
      afterwards(() => opened.cut());
    } else if (mark === '>') {
      if (!lost) connection!.send(words);
    } else if (mark === ' cut') {
      connection!.cut();
    } else {
      let said = await connection!.next();
      ids.SID = /0{"sid":"([^"]+)","up/.exec(said)?.[1] ?? ids.SID;
      ids.ID = /40(?:\/\w+,)?{"sid":"([^"]+)"}/.exec(said)?.[1] ?? ids.ID;
      for (const [id, value] of Object.entries(ids)) if (value) said = said.replace(value, id);
      if (line === 'A< OPEN') said = said.replace(/^0{.*}$/, 'OPEN');
      said = said.replace(/"id":"[\w-]+\.(\d+)"/, '"id":"LOG.$1"').replace(/"atMs":\d+/, '"atMs":AT');
      said = said.replace(/("code":"CONTRACT_ERR_\w+","message":)"[^"\\]*(\\.[^"\\]*)*"/, '$1"REFUSED"');
      held.push(`${name}${mark}${mark === '<' ? ' ' : ''}${said}${lost}`);
      continue;
    }
    held.push(line);
  }
  return held;
}

/** A schema as any library of the Standard Schema makes them. */
const text: StandardSchema<string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'string' ? { value } : { issues: [{ message: 'Expected a string' }] },
  },
};

async function startServer(): Promise<string> {
  const { http, port } = await listen();
  const io = new Server(http);
  afterwards(() => void io.close());
  io.of('/strict').contract(
    defineContract({ clientToServer: { say: { args: [text], ack: [text] } }, serverToClient: {} }),
  );
  await io.history('tea').emit('chat', 'hello');
  io.on('connection', (socket) => {
    socket.on('say', (said: string | Buffer, reply?: (length: number) => void) => {
      socket.emit('said', said);
      reply?.(said.length);
    });
    socket.onStream('count', async function* (most: number) {
      for (let i = 1; i <= most; i++) yield i;
    });
    socket.on('enter', async (room: string, reply: () => void) => {
      await io.presence(room).join(socket, { status: 'here' }, { key: 'ada' });
      await io.history(room).join(socket);
      reply();
    });
    socket.on('chat', (line: string) => void io.history('tea').emit('chat', line));
  });
  return `http://127.0.0.1:${port}`;
}

test('the page has conversations over every transport', () => {
  for (const transport of ['websocket', 'polling', 'sse']) {
    const first = whole.map(([, lines]) => lines[0]!);
    expect(first.some((line) => line.includes(`transport=${transport}`))).toBe(true);
  }
  expect(whole).toHaveLength(7);
});

test.each([...whole, ...parts])('%s', async (_title, lines) => {
  expect(await hold(await startServer(), lines)).toEqual(lines);
});
