/**
 * What: plays one history with the real client and the real server of the engine, and watches every step.
 * Must not know: how histories are made.
 */

import { PeerError } from '../../src/base/errors.ts';
import type { CloseDetails } from '../../src/engine/client/events.ts';
import type { EnginePlatform, PageEvent } from '../../src/engine/client/options.ts';
import { EngineSocket } from '../../src/engine/client/socket.ts';
import type { SessionReport } from '../../src/engine/port.ts';
import { isSessionReport } from '../../src/engine/port.ts';
import { queryOf } from '../../src/engine/server/request.ts';
import { ResumableSocket } from '../../src/engine/server/resumable-session.ts';
import { Server } from '../../src/engine/server/server.ts';
import type { Socket } from '../../src/engine/server/session.ts';
import { verifyProtocol, verifyRequest } from '../../src/engine/server/verify.ts';
import type { Session } from '../../src/protocol/session/session.ts';
import type { Exchange } from '../../src/transport/http/client.ts';
import { createPollingClient } from '../../src/transport/long-polling/client.ts';
import { webTextCodec } from '../../src/transport/platform/web-text-codec.ts';
import { type ClientTransportFactory, transportFactory } from '../../src/transport/port.ts';
import { createShortPollingClient } from '../../src/transport/short-polling/client.ts';
import { createSseClient } from '../../src/transport/sse/client.ts';
import { WebSocketServerTransport } from '../../src/transport/websocket/node-server.ts';
import { webWebSocket } from '../../src/transport/websocket/web.ts';
import { calm, chanceFrom, clientOptions, type Deed, type End, type Fate, type History } from './history.ts';
import { HttpLink, Request, WIRE } from './http-link.ts';
import { Direction } from './ledger.ts';
import { type Actor, newActor, VirtualTime } from './virtual-time.ts';
import { type ClientSocket, WebSocketLink } from './websocket-link.ts';

/** The two directions of a session, as one end knows them. */
interface Talk {
  /** An end that has not heard of the other yet has a direction of its own here, in which nothing may come. */
  up: Direction;
  down: Direction;
}

/** A page, with the session that it has. */
interface Page {
  readonly actor: Actor;
  readonly watchers: Set<{ event: PageEvent; listener: () => void }>;
  socket: EngineSocket;
  talk: Talk;
  isInterrupted: boolean;
  isOver: boolean;
  /** Sessions in a row that did not begin. */
  failures: number;
}

interface ServerSession {
  readonly socket: ResumableSocket;
  readonly talk: Talk;
  isInterrupted: boolean;
  isOver: boolean;
}

interface ServerProcess {
  readonly actor: Actor;
  readonly server: Server;
  readonly sessions: ServerSession[];
}

interface Link {
  breakOff(noticed: 'both' | 'client' | 'server' | 'nobody'): void;
  fill(isFull: boolean): void;
}

/** More than this is no history but a loop. */
const MOST_EVENTS = 30_000;
/** A GET or two, a stream, a POST, some whose client has gone, and late polls that are kept waiting for a second. */
const MOST_WAITING = 12;
const MOST_PAGES = 60;

/** Nothing is on its way for longer. */
const LATE_MS = 5_000;

/** Marks a message that is not answered. */
const ANSWER = '!';

let origins = 0;

export interface Outcome {
  /** What promise was broken; `null`: none. */
  readonly failure: string | null;
  readonly events: number;
  readonly delivered: number;
  readonly log: readonly string[];
}

export class World {
  readonly #history: History;
  readonly #fates: Map<number, Fate>;
  readonly #time = new VirtualTime();
  readonly #log: string[] = [];
  readonly #isTraced: boolean;
  readonly #links = new Set<Link>();
  readonly #origin = `http://h${origins++}/`;
  /** Those that somebody may send in. */
  readonly #directions: Direction[] = [];
  readonly #bySid = new Map<string, ServerSession>();
  readonly #waiting = new Set<HttpLink>();
  #connections = 0;
  #sids = 0;
  #failure: string | null = null;
  #process: ServerProcess;
  #page: Page | null = null;
  #pages = 0;
  #isCalm = false;
  #isOver = false;
  #outageUntilMs = 0;
  #isOutageSilent = false;
  /** Messages that were put on the wire. */
  #messagesPassed = 0;

  constructor(history: History, isTraced = false) {
    this.#history = history;
    this.#isTraced = isTraced;
    this.#fates = new Map(history.fates);
    this.#process = this.#startServer();
  }

  run(): Outcome {
    const { queueMicrotask, WebSocket } = globalThis;
    const world = this;
    globalThis.queueMicrotask = (run) => this.#time.atEndOfTurn(run);
    // As a function, a constructor may give an object of its own.
    globalThis.WebSocket = function open(url: string) {
      return world.#openWebSocket(url);
    } as unknown as typeof globalThis.WebSocket;
    EngineSocket.priorWebsocketSuccess = false;
    let events = 0;
    try {
      events = this.#play();
    } catch (error) {
      this.#fail(`an exception escaped: ${(error as Error).stack}`);
    } finally {
      globalThis.queueMicrotask = queueMicrotask;
      globalThis.WebSocket = WebSocket;
    }
    const delivered = this.#directions.reduce((sum, { delivered }) => sum + delivered, 0);
    return { failure: this.#failure, events, delivered, log: this.#log };
  }

  #play(): number {
    const time = this.#time;
    this.#openPage();
    for (const deed of this.#history.deeds) time.after(deed.atMs, WIRE, () => this.#do(deed));
    const lastMs = Math.max(0, ...this.#history.deeds.map(endOf));
    let events = 0;
    const runUntil = (untilMs: number, isDone: () => boolean): boolean => {
      while (this.#failure === null && !isDone()) {
        if (time.nextMs > untilMs) return false;
        if (++events > MOST_EVENTS) {
          this.#fail(`no rest after ${MOST_EVENTS} events`);
          return false;
        }
        time.step();
        this.#check();
      }
      return true;
    };
    runUntil(lastMs, () => false);
    const { pingInterval, pingTimeout, windowMs, shortPollingIntervalMs } = this.#history.setting;
    const awakeAtMs = Math.max(this.#process.actor.awakeAtMs, this.#page?.actor.awakeAtMs ?? 0);
    runUntil(Math.max(time.nowMs, this.#outageUntilMs, awakeAtMs), () => false);
    this.#trace(() => 'the network is calm from now on');
    this.#isCalm = true;
    // So long it may take until both ends have noticed that a connection is dead, and what is late has come.
    const noticedMs = time.nowMs + 2 * (pingInterval + pingTimeout) + LATE_MS;
    runUntil(noticedMs, () => false);
    // Attempts that hang, a session that is given up, and one that nobody comes back to.
    const settledMs =
      noticedMs + 2 * (pingInterval + pingTimeout) + windowMs + 100_000 + this.#mostRounds * pingInterval;
    if (!runUntil(settledMs, () => this.#isSettled))
      this.#fail(`it does not come to rest: ${this.#restlessness}`);
    if (this.#failure !== null) return events;
    this.#trace(() => 'all is said and confirmed; nothing more should happen but heartbeats');
    const passed = this.#messagesPassed;
    const connections = this.#connections;
    const idleMs = 1.5 * pingInterval;
    runUntil(time.nowMs + idleMs, () => false);
    if (this.#messagesPassed !== passed) this.#fail('messages are sent again, though all are confirmed');
    // Polls, a POST for each ping, and an attempt at something better.
    const most = (2 * idleMs) / Math.min(pingInterval, shortPollingIntervalMs) + 8;
    if (this.#connections - connections > most) {
      this.#fail(`${this.#connections - connections} connections in ${idleMs} ms in which nothing happens`);
    }
    if (!this.#isSettled) this.#fail(`the rest does not last: ${this.#restlessness}`);
    this.#trace(() => 'the client closes');
    this.#isOver = true;
    this.#page?.socket.close();
    runUntil(time.nowMs + 2 * (pingInterval + pingTimeout) + windowMs + 60_000, () => false);
    if (this.#failure !== null) return events;
    if (time.nextMs !== Number.POSITIVE_INFINITY) this.#fail('timers are left after the end');
    for (const { name, isSenderDead, told } of this.#directions) {
      if (!isSenderDead && told === null) this.#fail(`${name}: its sender was never told of the end`);
    }
    if (this.#process.server.clientsCount !== 0) this.#fail('a session is left on the server');
    for (const link of this.#waiting) if (link.isWaiting) this.#fail('a request was never answered');
    return events;
  }

  // What the programs do.

  #do(deed: Deed): void {
    this.#trace(() => `deed: ${JSON.stringify(deed)}`);
    const { nowMs } = this.#time;
    switch (deed.deed) {
      case 'send':
        for (let i = 0; i < deed.messages; i++) {
          const send = (): void => this.#send(deed.end, deed.bytes, i % 5 === 4);
          if (deed.everyMs === undefined) send();
          else this.#time.after(i * deed.everyMs, WIRE, send);
        }
        break;
      case 'cut':
        this.#cutAll(deed.noticed);
        break;
      case 'outage':
        this.#outageUntilMs = nowMs + deed.ms;
        this.#isOutageSilent = deed.isSilent;
        this.#cutAll(deed.noticed);
        break;
      case 'slow': {
        const links = [...this.#links];
        for (const link of links) link.fill(true);
        this.#time.after(deed.ms, WIRE, () => {
          const { actor } = this.#process;
          this.#time.after(0, actor, () => {
            for (const link of links) link.fill(false);
          });
        });
        break;
      }
      case 'sleep': {
        const actor = deed.end === 'client' ? this.#page?.actor : this.#process.actor;
        if (actor) actor.awakeAtMs = Math.max(actor.awakeAtMs, nowMs + deed.ms);
        break;
      }
      case 'restart':
        if (deed.end === 'server') this.#restartServer(deed.isOrderly);
        else this.#reload(deed.isOrderly);
        break;
      case 'page':
        this.#inPage(({ watchers }) => {
          for (const { event, listener } of [...watchers]) if (event === deed.event) listener();
        });
        break;
      case 'close':
        if (deed.end === 'client') this.#inPage(({ socket }) => socket.close());
        else {
          const { sessions, actor } = this.#process;
          this.#time.after(0, actor, () => sessions.findLast(({ isOver }) => !isOver)?.socket.close());
        }
    }
  }

  #inPage(run: (page: Page) => void): void {
    const page = this.#page;
    if (page !== null) this.#time.after(0, page.actor, () => run(page));
  }

  #send(end: End, bytes: number, isBinary: boolean): void {
    const page = this.#page;
    if (end === 'client') {
      if (page !== null) this.#time.after(0, page.actor, () => this.#say(page, bytes, isBinary));
      return;
    }
    const { sessions, actor } = this.#process;
    this.#time.after(0, actor, () => {
      const session = sessions.findLast(({ isOver }) => !isOver);
      if (session) this.#sayAtServer(session, bytes, isBinary);
    });
  }

  #say({ socket, talk: { up } }: Page, bytes: number, isBinary: boolean, mark = ''): void {
    // After the end nothing can be sent any more.
    if (socket.readyState !== 'opening' && socket.readyState !== 'open') return;
    const message = `${up.name}.${up.sent.length}${mark}`.padEnd(bytes, '_');
    up.sent.push(message);
    socket.send(isBinary ? Buffer.from(message) : message);
  }

  #sayAtServer({ socket, talk: { down } }: ServerSession, bytes: number, isBinary: boolean, mark = ''): void {
    if (socket.readyState !== 'open') return;
    const message = `${down.name}.${down.sent.length}${mark}`.padEnd(bytes, '_');
    const dropped = socket.droppedMessages;
    down.sent.push(message);
    socket.send(isBinary ? Buffer.from(message) : message);
    // Said and counted, where the program has chosen that.
    if (socket.droppedMessages > dropped) down.sent.pop();
  }

  // The client.

  #direction(name: string): Direction {
    return new Direction(name, (text) => this.#fail(text));
  }

  #senderOf(name: string): Direction {
    const direction = this.#direction(`${name}${this.#directions.length}`);
    this.#directions.push(direction);
    return direction;
  }

  #openPage(): void {
    if (++this.#pages > MOST_PAGES) return;
    const actor = newActor();
    const watchers: Page['watchers'] = new Set();
    const page: Page = {
      actor,
      watchers,
      socket: null as never,
      talk: null as never,
      isInterrupted: false,
      isOver: true,
      failures: 0,
    };
    this.#page = page;
    this.#openSession(page);
  }

  #openSession(page: Page): void {
    const { actor, watchers } = page;
    const { answersEvery } = this.#history.setting;
    const up = this.#senderOf('up');
    const talk: Talk = { up, down: this.#direction('what nobody sends') };
    this.#trace(() => `the client begins a session (${up.name})`);
    const chance = chanceFrom(this.#directions.length);
    const platform: EnginePlatform = {
      codec: webTextCodec,
      chance,
      clock: () => this.#time.clockOf(actor),
      transports: this.#transports(actor),
      binaryType: 'nodebuffer',
      present: (bytes) => bytes,
      watch: (event, listener) => {
        const entry = { event, listener };
        watchers.add(entry);
        return () => watchers.delete(entry);
      },
    };
    const socket = new EngineSocket(platform, this.#origin, clientOptions(this.#history.setting));
    page.socket = socket;
    page.talk = talk;
    page.isInterrupted = false;
    page.isOver = false;
    socket.on('handshake', ({ sid }) => {
      const session = this.#bySid.get(sid)!;
      // From now on each knows the other's half.
      page.failures = 0;
      talk.down = session.talk.down;
      session.talk.up = up;
      up.isReceiverTold = session.isOver;
    });
    socket.on('message', (data) => {
      const { down } = page.talk;
      const message = textOf(data as string | Uint8Array);
      down.deliver(message);
      if (answersEvery && down.delivered % answersEvery === 0 && !message.includes(ANSWER)) {
        this.#say(page, 20, false, ANSWER);
      }
    });
    socket.on('interrupted', () => {
      if (page.isInterrupted || page.isOver) this.#fail(`${up.name}: interrupted out of turn`);
      page.isInterrupted = true;
    });
    socket.on('resumed', (gapMs) => {
      if (!page.isInterrupted || gapMs < 0) this.#fail(`${up.name}: resumed out of turn, after ${gapMs} ms`);
      page.isInterrupted = false;
    });
    socket.on('close', (reason, details) => {
      const { unconfirmed, unsent } = (details ?? {}) as CloseDetails;
      // Without a session, nothing has ever left but over the first connection; what is not said is there to be read.
      const left = unconfirmed ?? [];
      const rest = unsent ?? socket.writeBuffer.filter(({ type }) => type === '4').map(({ data }) => data);
      this.#trace(
        () => `${up.name}: the client is told: ${reason}, ${left.length} unconfirmed, ${rest.length} unsent`,
      );
      // Neither side lies here, so whoever thinks so is wrong.
      if (details instanceof PeerError) this.#fail(`${up.name}: the session ends with ${details.code}`);
      page.isOver = true;
      page.talk.down.isReceiverTold = true;
      up.tell([...left, ...rest].map(textOf), rest.length);
      if (!this.#isOver) {
        // What a Manager does.
        const delayMs = Math.min(5000, 300 * 2 ** page.failures++);
        this.#time.after(delayMs, actor, () => {
          if (page === this.#page && ++this.#pages < MOST_PAGES) this.#openSession(page);
        });
      }
    });
  }

  #transports(actor: Actor): ClientTransportFactory[] {
    const exchange: Exchange = (...args) => this.#exchange(actor, args);
    return [
      transportFactory('polling', (target) => createPollingClient(target, exchange)),
      webWebSocket,
      transportFactory('sse', (target) => createSseClient(target, exchange)),
      transportFactory('short-polling', (target) => createShortPollingClient(target, exchange)),
    ];
  }

  #reload(isOrderly: boolean): void {
    const page = this.#page;
    if (page === null) return;
    // The browser says goodbye to WebSockets and breaks the rest off; or the machine is switched off.
    for (const link of [...this.#links]) {
      if (isOrderly && link instanceof WebSocketLink) link.closeUp(1001);
      else link.breakOff(isOrderly ? 'server' : 'nobody');
    }
    this.#links.clear();
    page.actor.isDead = true;
    page.talk.up.isSenderDead = true;
    this.#page = null;
    this.#time.after(50, WIRE, () => this.#openPage());
  }

  // The server.

  #startServer(): ServerProcess {
    const { pingInterval, pingTimeout, windowMs, maxPayload } = this.#history.setting;
    const { bufferBytes, bufferMessages, bufferedBytes, slowReader } = this.#history.setting;
    const actor = newActor();
    const server = new Server(
      {
        pingInterval,
        pingTimeout,
        maxHttpBufferSize: maxPayload,
        session: { windowMs, bufferBytes, bufferMessages },
        limits: { bufferedBytes, slowReader },
      },
      this.#time.clockOf(actor),
    );
    server.generateId = () => `s${this.#sids++}`;
    const process: ServerProcess = { actor, server, sessions: [] };
    server.on('connection', (socket) => this.#begun(process, socket));
    return process;
  }

  #begun(process: ServerProcess, socket: Socket): void {
    if (!(socket instanceof ResumableSocket)) {
      this.#fail('the session does not count its messages');
      return;
    }
    const { answersEvery } = this.#history.setting;
    const talk: Talk = { up: this.#direction('what nobody sends'), down: this.#senderOf('down') };
    const session: ServerSession = { socket, talk, isInterrupted: false, isOver: false };
    process.sessions.push(session);
    this.#bySid.set(socket.id, session);
    const name = `session ${socket.id}`;
    this.#trace(() => `${name} begins on the server (${session.talk.down.name})`);
    socket.listener = {
      peerMessage: (data) => {
        const { up } = session.talk;
        const message = textOf(data);
        up.deliver(message);
        if (answersEvery && up.delivered % answersEvery === 0 && !message.includes(ANSWER)) {
          this.#sayAtServer(session, 20, false, ANSWER);
        }
      },
      peerInterrupted: () => {
        this.#trace(() => `${name} is interrupted`);
        if (session.isInterrupted || session.isOver) this.#fail(`${name}: interrupted out of turn`);
        session.isInterrupted = true;
      },
      peerResumed: (gapMs) => {
        this.#trace(() => `${name} is resumed`);
        if (!session.isInterrupted || gapMs < 0)
          this.#fail(`${name}: resumed out of turn, after ${gapMs} ms`);
        session.isInterrupted = false;
      },
      peerClosed: (reason, report) => {
        session.isOver = true;
        if (!isSessionReport(report)) {
          this.#fail(`${name}: over without a report`);
          return;
        }
        const { end, unconfirmed } = report as SessionReport;
        if (end === 'protocol') this.#fail(`${name} ends because a side is said to have broken the protocol`);
        this.#trace(
          () => `${name}: the server is told: ${reason}, ${end}, ${unconfirmed.length} unconfirmed`,
        );
        session.talk.up.isReceiverTold = true;
        session.talk.down.tell(
          unconfirmed.map(({ data }) => textOf(data)),
          0,
        );
      },
    };
  }

  #restartServer(isOrderly: boolean): void {
    const { actor, server, sessions } = this.#process;
    if (isOrderly) server.close();
    for (const link of [...this.#links]) {
      if (!(isOrderly && link instanceof WebSocketLink)) link.breakOff('client');
    }
    actor.isDead = true;
    for (const { talk } of sessions) talk.down.isSenderDead = true;
    this.#process = this.#startServer();
  }

  // The network.

  #fate(): Fate {
    const fate = this.#fates.get(this.#connections++) ?? calm;
    if (this.#time.nowMs < this.#outageUntilMs) {
      return { ...fate, fault: this.#isOutageSilent ? 'hangs' : 'refused' };
    }
    return this.#isCalm ? calm : fate;
  }

  #exchange(client: Actor, args: Parameters<Exchange>): () => void {
    const name = `#${this.#connections}`;
    const fate = this.#fate();
    const places = {
      time: this.#time,
      client,
      server: () => {
        const { actor, server } = this.#process;
        return { actor, take: server.handleRequest.bind(server) };
      },
      trace: (text: () => string) => this.#trace(text),
    };
    const body = args[1];
    if (body !== undefined) this.#messagesPassed += body.split('\x1e').filter(isMessage).length;
    const link = new HttpLink(places, fate, name, args, () => this.#links.delete(link));
    this.#links.add(link);
    this.#waiting.add(link);
    return () => link.giveUp();
  }

  #openWebSocket(url: string): object {
    const client = this.#page!.actor;
    const name = `#${this.#connections}`;
    const fate = this.#fate();
    const places = {
      time: this.#time,
      client,
      server: () => {
        const { actor, server } = this.#process;
        return {
          actor,
          take: (url: string, connection: ConstructorParameters<typeof WebSocketServerTransport>[0]) =>
            this.#upgrade(server, url, connection),
        };
      },
      trace: (text: () => string) => this.#trace(text),
    };
    const socket: ClientSocket & Record<string, unknown> = {
      onopen: null,
      onmessage: null,
      onerror: null,
      onclose: null,
      bufferedAmount: 0,
      send: (data: string | Uint8Array) => {
        if (typeof data !== 'string' || isMessage(data)) this.#messagesPassed++;
        link.up(data);
      },
      close: (code?: number) => link.closeUp(code),
    };
    const link = new WebSocketLink(places, fate, name, url.replace(/^ws/, 'http'), socket, () =>
      this.#links.delete(link),
    );
    this.#links.add(link);
    return socket;
  }

  /** What the server does with a WebSocket's request, without the handshake of RFC 6455. */
  #upgrade(
    server: Server,
    url: string,
    connection: ConstructorParameters<typeof WebSocketServerTransport>[0],
  ): boolean {
    const request = new Request('GET', url) as unknown as Parameters<typeof verifyRequest>[0];
    const { sid } = queryOf(request);
    const { opts, clients, endedSessions } = server;
    const refusal =
      verifyRequest(request, true, opts, clients, endedSessions) ??
      (sid === undefined ? verifyProtocol(request) : null);
    if (refusal !== null) {
      this.#trace(() => `refused: ${JSON.stringify(refusal)}`);
      return false;
    }
    const id = sid ?? server.generateId(request as never);
    const transport = new WebSocketServerTransport(connection, id as string);
    if (sid === undefined) server.beginWebSocket(id as string, transport, request);
    else server.attachWebSocket(clients[sid] as ResumableSocket | undefined, transport, request);
    return true;
  }

  #cutAll(noticed: 'both' | 'client' | 'server' | 'nobody'): void {
    for (const link of [...this.#links]) link.breakOff(noticed);
    this.#links.clear();
  }

  // What must be true.

  #check(): void {
    const { bufferMessages, bufferBytes, bufferedBytes } = this.#history.setting;
    for (const { socket, isOver, talk } of this.#process.sessions) {
      if (isOver) continue;
      const { machine } = socket;
      const kept = machine.nextIndex - machine.confirmed;
      if (kept > bufferMessages) this.#fail(`session ${socket.id} keeps ${kept} messages`);
      // One alone is taken whatever its size.
      if (machine.unconfirmedBytes > bufferBytes && kept > 1) {
        this.#fail(`session ${socket.id} keeps too many bytes`);
      }
      if (socket.waitingBytes > bufferedBytes) this.#fail(`too much waits for session ${socket.id}`);
      if (machine.confirmed > talk.down.delivered) {
        this.#fail(`${talk.down.name}: ${machine.confirmed} are confirmed, ${talk.down.delivered} delivered`);
      }
      if (machine.received !== talk.up.delivered) {
        this.#fail(`${talk.up.name}: ${machine.received} are counted, ${talk.up.delivered} delivered`);
      }
    }
    const page = this.#page;
    if (page !== null && !page.isOver) {
      const { up } = page.talk;
      const { session } = page.socket as unknown as { readonly session?: Session<unknown> };
      const kept = session ? session.nextIndex - session.confirmed : 0;
      if (kept > Math.max(bufferMessages, 1)) this.#fail(`${up.name}: the client keeps ${kept} messages`);
      if (session && kept > 1 && session.unconfirmedBytes > bufferBytes) {
        this.#fail(`${up.name}: the client keeps ${session.unconfirmedBytes} bytes`);
      }
      if (up.delivered > (session?.nextIndex ?? 0))
        this.#fail(`${up.name}: more came than the session has taken`);
      if (page.socket.decision.length > 100) this.#fail('the client keeps too many decisions');
    }
    if (this.#waiting.size > MOST_WAITING) {
      for (const link of this.#waiting) if (!link.isWaiting) this.#waiting.delete(link);
      if (this.#waiting.size > 4 * MOST_WAITING) this.#fail(`${this.#waiting.size} requests wait`);
    }
  }

  /** How often a full session may have to wait for the heartbeat until it has room for more. */
  get #mostRounds(): number {
    const { bufferMessages, bufferBytes } = this.#history.setting;
    const room = Math.min(bufferMessages, Math.floor(bufferBytes / 170));
    // docs/protocol/session.md, "Packets": a count comes at the latest after 32 messages.
    if (room >= 64) return 0;
    // Each message may have an answer.
    const messages = this.#history.deeds.reduce(
      (sum, deed) => sum + (deed.deed === 'send' ? 2 * deed.messages : 0),
      0,
    );
    return Math.ceil(messages / Math.max(1, Math.floor(room / 2)));
  }

  get #isSettled(): boolean {
    return this.#restlessness === '';
  }

  get #restlessness(): string {
    const page = this.#page;
    if (page === null || page.isOver) return 'there is no session';
    if (page.isInterrupted || page.socket.readyState !== 'open') return 'the client has no connection';
    for (const { name, isSettled, delivered, sent } of this.#directions) {
      if (!isSettled) return `${name} has ${delivered} of ${sent.length}`;
    }
    for (const { socket, isOver, talk } of this.#process.sessions) {
      if (isOver) continue;
      if (talk.up !== page.talk.up) return `session ${socket.id} is left`;
      const { machine } = socket;
      if (machine.confirmed !== machine.nextIndex) return `${talk.down.name} is not confirmed`;
      if (machine.state !== 'attached') return `session ${socket.id} has no connection`;
    }
    return '';
  }

  #fail(text: string): void {
    this.#trace(() => `BROKEN: ${text}`);
    this.#failure ??= text;
  }

  #trace(text: () => string): void {
    if (this.#isTraced) this.#log.push(`${this.#time.nowMs} ms: ${text()}`);
  }
}

/** When a deed is done. */
const endOf = (deed: Deed): number =>
  deed.atMs + (deed.deed === 'send' ? deed.messages * (deed.everyMs ?? 0) : 0);

const textOf = (data: string | Uint8Array): string =>
  typeof data === 'string' ? data : Buffer.from(data).toString();

const isMessage = (packet: string): boolean => packet.charAt(0) === '4' || packet.charAt(0) === 'b';
