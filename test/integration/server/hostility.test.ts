/**
 * What: packets that lie, floods and half-finished requests on real sockets, over every transport: whoever sends them is
 *   refused with a code or ends by himself, and everybody else goes on.
 * Must not know: how the server holds out. What published CVEs are about is in cve.test.ts.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { io as connectTo } from 'socket.io-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Server, type ServerOptions, type Socket } from '../../../src/entry/index.ts';
import { RawWebSocket } from '../engine/raw-websocket.ts';
import { RawStream, until } from '../engine/resumable-scene.ts';
import { ask } from '../engine/scene.ts';
import { expectNoException } from './no-exception.ts';

const PATH = '/socket.io/?EIO=4';

expectNoException();

/** A server whose bystander must be answered when all is over. */
async function start(options: Partial<ServerOptions> = {}) {
  const http = createServer();
  const io = new Server(http, options);
  io.on('connection', (socket) => {
    socket.on('echo', (value, answer) => answer?.(value));
    socket.on('again', (value) => socket.emit('again', value));
    socket.onStream('numbers', async function* (_from: unknown, { signal }) {
      for (let i = 0; !signal.aborted; i++) yield i;
    });
  });
  io.of(/^\/made-/);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const entered = once(io, 'connection');
  const bystander = connectTo(`http://127.0.0.1:${port}`, { forceNew: true, transports: ['websocket'] });
  await entered;
  const gone = vi.fn();
  bystander.on('disconnect', gone);
  onTestFinished(async () => {
    bystander.disconnect();
    http.closeAllConnections();
    await io.close();
  });
  const expectUndisturbed = async (): Promise<void> => {
    expect(await bystander.emitWithAck('echo', 'still here')).toBe('still here');
    expect(gone).not.toHaveBeenCalled();
  };
  return { io, http, port, expectUndisturbed };
}

type Message = string | Buffer;

/** Unlike Node's `once` it takes no offence at an `error` in between. */
function told(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve));
}

/** A client of bare bytes that has entered the main namespace. */
interface Attacker {
  readonly socket: Socket;
  /** Sends Socket.IO packets, as the transport carries them. */
  say(...messages: Message[]): Promise<void>;
}

const overHttp = (message: Message): string =>
  typeof message === 'string' ? `4${message}` : `b${message.toString('base64')}`;

/** Each way to the server: how to begin, and how to speak. */
const ways: [string, (io: Server, port: number) => Promise<Attacker>][] = [
  ['WebSocket', (io, port) => overWebSocket(io, port, '')],
  ['a WebSocket that counts', (io, port) => overWebSocket(io, port, '&tautline=1')],
  ['polling', (io, port) => overRequests(io, port, 'polling', '')],
  ['polling that counts', (io, port) => overRequests(io, port, 'polling', '&tautline=1')],
  ['an event stream', (io, port) => overRequests(io, port, 'sse', '&tautline=1')],
  ['short polling', (io, port) => overRequests(io, port, 'short-polling', '&tautline=1')],
];

async function overWebSocket(io: Server, port: number, more: string): Promise<Attacker> {
  const entered = once(io, 'connection');
  const ws = new RawWebSocket(port, `${PATH}&transport=websocket${more}`);
  ws.send('40');
  const [socket] = (await entered) as [Socket];
  return {
    socket,
    async say(...messages) {
      ws.send(...messages.map((message) => (typeof message === 'string' ? `4${message}` : message)));
    },
  };
}

async function overRequests(io: Server, port: number, transport: string, more: string): Promise<Attacker> {
  const begin = `${PATH}&transport=${transport}${more}`;
  const stream = transport === 'sse' ? new RawStream(port, begin) : null;
  const body = stream === null ? (await ask(port, begin)).body : String((await stream.until(1))[0]);
  const { sid } = JSON.parse(/\{.*\}/.exec(body)![0]) as { sid: string };
  let from = 0;
  const post = (messages: Message[]) => {
    const path = `${PATH}&transport=${transport}&sid=${sid}${more === '' ? '' : `&from=${from}`}`;
    from += messages.length;
    return ask(port, path, { method: 'POST', body: messages.map(overHttp).join('\x1e') });
  };
  const entered = once(io, 'connection');
  await post(['0']);
  const [socket] = (await entered) as [Socket];
  return {
    socket,
    async say(...messages) {
      await post(messages);
    },
  };
}

const place = (num: string): string => `{"_placeholder":true,"num":${num}}`;

/** What is said, and the code of the refusal that ends its session. */
const refused: [string, Message[], string][] = [
  ['a type that is none', ['9'], 'EVENT_ERR_INVALID_PACKET'],
  ['an event called connect', ['2["connect"]'], 'EVENT_ERR_INVALID_PACKET'],
  ['an event called disconnect', ['2["disconnect","transport close"]'], 'EVENT_ERR_INVALID_PACKET'],
  ['an event called newListener', ['2["newListener","x"]'], 'EVENT_ERR_INVALID_PACKET'],
  ['an event called removeListener', ['2["removeListener"]'], 'EVENT_ERR_INVALID_PACKET'],
  ['an event without a name', ['2[{"toString":null}]'], 'EVENT_ERR_INVALID_PACKET'],
  ['a negative id', ['2-1["echo"]'], 'EVENT_ERR_INVALID_PACKET'],
  ['an id with a fraction', ['21.5["echo"]'], 'EVENT_ERR_INVALID_PACKET'],
  ['a giant id', [`2${'9'.repeat(10_000)}["echo"]`], 'EVENT_ERR_INVALID_PACKET'],
  ['a giant count of attachments', ['5999999999-["echo"]'], 'EVENT_ERR_TOO_MANY_ATTACHMENTS'],
  ['a negative count', ['5-1-["echo"]'], 'EVENT_ERR_INVALID_PACKET'],
  ['a count without a number', ['5-["echo"]'], 'EVENT_ERR_INVALID_PACKET'],
  ['attachments that never come', [`52-["echo",${place('0')}]`, '2["echo"]'], 'EVENT_ERR_ATTACHMENT'],
  ['bytes that nobody announced', [Buffer.from([1])], 'EVENT_ERR_ATTACHMENT'],
  ['a placeholder of -1', [`51-["echo",${place('-1')}]`, Buffer.from([1])], 'EVENT_ERR_ATTACHMENT'],
  ['a placeholder of a billion', [`51-["echo",${place('1e9')}]`, Buffer.from([1])], 'EVENT_ERR_ATTACHMENT'],
  ['a placeholder of a text', [`51-["echo",${place('"x"')}]`, Buffer.from([1])], 'EVENT_ERR_ATTACHMENT'],
  [
    'one attachment in ten thousand places',
    [`51-["again",[${Array.from({ length: 10_000 }, () => place('0')).join()}]]`, Buffer.alloc(100_000)],
    'EVENT_ERR_ATTACHMENT',
  ],
  ['deep nesting', [`2["again",${'['.repeat(2e5)}${']'.repeat(2e5)}]`], 'EVENT_ERR_TOO_DEEP'],
  ['half a million arguments', [`2["echo"${',1'.repeat(450_000)}]`], 'EVENT_ERR_TOO_MANY_ARGUMENTS'],
  ['an answer of half a million', [`31[${'1,'.repeat(450_000)}1]`], 'EVENT_ERR_TOO_MANY_ARGUMENTS'],
];

/** What is said, and harms not even the session of who says it. */
const passedOver: [string, Message[]][] = [
  [
    'names that objects have',
    ['2["__proto__",1]', '2["constructor"]', '2["toString"]', '2["hasOwnProperty"]'],
  ],
  ['names that are numbers', ['2[0]', '2[-1.5]', '2[1e300]']],
  ['an event called error', ['2["error"]', '2["error",{"message":1}]']],
  ['answers to nothing', ['30[]', '31["x"]', '39007199254740991[{}]', '3007[]']],
  ['values that name prototypes', ['2["again",{"__proto__":{"isAdmin":true}}]']],
  [
    'namespaces that are not there',
    ['0/nowhere,', `0/${'x'.repeat(100_000)},`, `0/made-${'x'.repeat(5000)},{"a":1}`],
  ],
  [
    'streams that nobody offers, or nobody asked for',
    [
      '2["tautline:stream","open",1,"__proto__",1,[]]',
      '2["tautline:stream","part",7,1]',
      '2["tautline:stream","end",7,{}]',
      '2["tautline:stream","more",7,9007199254740991]',
      '2["tautline:stream","open",-1,"numbers",1e300,{}]',
      `2["tautline:stream","open",2,"numbers",1,[${'1,'.repeat(400_000)}1]]`,
    ],
  ],
  ['refusals that are none', ['2["tautline:refused"]', '2["tautline:refused",{"code":{}}]']],
  ['questions for outboxes', ['21["tautline:outbox","lane"]', '22["tautline:outbox","__proto__"]']],
];

describe.each(ways)('over %s', (_name, enter) => {
  it.each(refused)('%s ends the session with a code', async (_what, messages, code) => {
    const { io, port, expectUndisturbed } = await start();
    const { socket, say } = await enter(io, port);
    const error = new Promise<Error & { code?: string }>((resolve) => socket.on('error', resolve));
    const ended = told(socket, 'disconnect');
    await Promise.all([say(...messages), ended]);
    expect((await error).code).toBe(code);
    await expectUndisturbed();
  });

  it.each(passedOver)('%s harms nobody', async (_what, messages) => {
    const { io, port, expectUndisturbed } = await start();
    const { socket, say } = await enter(io, port);
    const last = told(socket, 'last');
    await say(...messages, '2["last"]');
    await last;
    expect(socket.connected).toBe(true);
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
    await expectUndisturbed();
  });

  it.each([
    ['without its place', ['2["tautline:outbox"]']],
    ['at a negative place', ['2["tautline:outbox","lane",-1,"echo"]']],
    ['whose event is none', ['2["tautline:outbox","lane",0,["echo"]]']],
    ['within another', ['2["tautline:outbox","lane",0,"tautline:outbox","lane",0,"echo"]']],
    ['of a lane that is none', ['2["tautline:outbox",{},0,"echo"]']],
    ['of ever more lanes', Array.from({ length: 101 }, (_, i) => `2["tautline:outbox","${i}",0,"echo"]`)],
  ])('an event of an outbox %s ends the session', async (_what, messages) => {
    const { io, port, expectUndisturbed } = await start();
    const { socket, say } = await enter(io, port);
    const ended = told(socket, 'disconnect');
    await Promise.all([say(...messages), ended]);
    await expectUndisturbed();
  });
});

describe('floods', () => {
  it('of namespaces are answered with a code above the limit, and are gone with their connection', async () => {
    const { io, port, expectUndisturbed } = await start({
      namespaceLimits: { perConnection: 50, dynamic: 60 },
    });
    for (let round = 0; round < 3; round++) {
      const ws = new RawWebSocket(port, `${PATH}&transport=websocket`);
      ws.send(...Array.from({ length: 200 }, (_, i) => `40/made-${round}-${i},`));
      const answers = (await ws.until(201)).slice(1).map(String);
      expect(answers.filter((answer) => answer.startsWith('40/made-'))).toHaveLength(50);
      expect(answers.filter((answer) => answer.includes('NAMESPACE_ERR_TOO_MANY'))).toHaveLength(150);
      ws.close(1000);
      await ws.untilEnded();
      await until(() =>
        [...io._nsps.values()].every(({ name, sockets }) => name === '/' || sockets.size === 0),
      );
    }
    // Beside the main one; none of an earlier round was in the way of a later one.
    expect(io._nsps.size).toBeLessThanOrEqual(1 + 60);
    await expectUndisturbed();
  });

  it('of streams that are opened and cancelled end with their sender', async () => {
    const { io, port, expectUndisturbed } = await start();
    const { socket, say } = await overWebSocket(io, port, '');
    const messages = Array.from({ length: 2000 }, (_, i) => [
      `2["tautline:stream","open",${i + 1},"numbers",1024,[0]]`,
      `2["tautline:stream","cancel",${i + 1}]`,
    ]);
    const last = told(socket, 'last');
    await say(...messages.flat(), '2["last"]');
    await last;
    await expectUndisturbed();
    const ended = told(socket, 'disconnect');
    await say('1');
    await ended;
    await expectUndisturbed();
  });

  it('of clients that come and go leave nothing', async () => {
    const { io, port, expectUndisturbed } = await start({ connectionStateRecovery: { sessions: 10 } });
    for (let i = 0; i < 30; i++) {
      const ws = new RawWebSocket(port, `${PATH}&transport=websocket&tautline=${i % 2}`);
      ws.send(`40{"pid":"__proto__","offset":"${i}"}`);
      await ws.until(1);
      if (i % 3 === 0) ws.cut();
      else ws.close(1000);
      await ws.untilEnded();
    }
    await until(() => io.sockets.sockets.size <= 1 + 5);
    await expectUndisturbed();
  });

  it('of parameters are refused by Node, or read as what they are', async () => {
    const { port, expectUndisturbed } = await start();
    const many = Array.from({ length: 100_000 }, (_, i) => `a${i}`).join('&');
    expect((await ask(port, `${PATH}&transport=polling&${many}`)).status).toBe(431);
    const names = '__proto__=1&__proto__[a]=1&constructor=2&toString=3&hasOwnProperty=4';
    expect((await ask(port, `${PATH}&transport=polling&${names}`)).status).toBe(200);
    await expectUndisturbed();
  });
});

describe('what is begun and never finished', () => {
  it.each([
    ['a connection without a request', () => ''],
    ['half a request', () => `GET ${PATH}&tr`],
    [
      'a request without the end of its headers',
      () => `GET ${PATH}&transport=polling HTTP/1.1\r\nHost: a\r\n`,
    ],
    [
      'a POST without its body',
      (sid: string) =>
        `POST ${PATH}&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n40`,
    ],
    [
      'a POST in chunks without an end',
      (sid: string) =>
        `POST ${PATH}&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n40\r\n`,
    ],
    [
      'a POST for no session without its body',
      () => `POST ${PATH}&transport=polling&sid=none HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n40`,
    ],
  ])('%s is in nobody else’s way', async (_what, request) => {
    const { io, port, expectUndisturbed } = await start({ pingInterval: 100, pingTimeout: 100 });
    const { body } = await ask(port, `${PATH}&transport=polling`);
    const text = request(JSON.parse(body.slice(1)).sid);
    const sockets = Array.from({ length: 20 }, () => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('error', () => {});
      return socket;
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await expectUndisturbed();
    // The heartbeat ends the session whose POST never ends.
    await until(() => io.engine.clientsCount === 1);
    await expectUndisturbed();
  });
});

describe('credentials and metadata', () => {
  it('are data, whatever they are called, wherever they go', async () => {
    const { io, port, expectUndisturbed } = await start();
    io.on('connection', (socket) =>
      socket.on('join', (meta, answer) => io.presence('room').join(socket, meta).then(answer, answer)),
    );
    const lie = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}';
    const entered = once(io, 'connection');
    const ws = new RawWebSocket(port, `${PATH}&transport=websocket&__proto__=isAdmin`);
    ws.send(`40${lie}`, `421["join",${lie}]`);
    const [socket] = (await entered) as [Socket];
    await until(() => ws.received.some((message) => String(message).startsWith('431')));
    const [member] = await io.presence('room').list();
    for (const value of [{}, socket.handshake.auth, socket.handshake.query, member?.meta as object]) {
      expect(Reflect.get(value, 'isAdmin')).toBeUndefined();
    }
    await expectUndisturbed();
  });
});
