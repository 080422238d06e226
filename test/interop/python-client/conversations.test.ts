/**
 * What: holds the conversations of docs/protocol/conversations.md with a server, and compares every byte.
 * Must not know: what the packets mean.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Server } from '../../../src/entry/index.ts';
import WebSocket from '../../../src/entry/ws.ts';
import { afterwards, endScene, listen } from './scene.ts';

const page = readFileSync(new URL('../../../docs/protocol/conversations.md', import.meta.url), 'utf8');
const conversations = [...page.matchAll(/^## (.*)\n[^`]*```text\n([^`]*)```/gm)].map(
  ([, title, lines]) => [title!, lines!.trim().split('\n')] as const,
);

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
      ids.ID = /40{"sid":"([^"]+)"}/.exec(said)?.[1] ?? ids.ID;
      for (const [id, value] of Object.entries(ids)) if (value) said = said.replace(value, id);
      held.push(`${name}${mark}${mark === '<' ? ' ' : ''}${said}${lost}`);
      continue;
    }
    held.push(line);
  }
  return held;
}

test('the page has conversations over every transport', () => {
  for (const transport of ['websocket', 'polling', 'sse']) {
    expect(
      conversations.filter(([, lines]) => lines[0]!.includes(`transport=${transport}`)).length,
    ).toBeGreaterThan(0);
  }
  expect(conversations).toHaveLength(7);
});

test.each(conversations)('%s', async (_title, lines) => {
  const { http, port } = await listen();
  const io = new Server(http);
  afterwards(() => void io.close());
  io.on('connection', (socket) => {
    socket.on('say', (text: string | Buffer, reply?: (length: number) => void) => {
      socket.emit('said', text);
      reply?.(text.length);
    });
  });
  expect(await hold(`http://127.0.0.1:${port}`, lines)).toEqual(lines);
});
