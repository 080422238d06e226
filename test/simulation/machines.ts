/**
 * What: two of the session's machines with ends as thin as can be, over connections that break at any step.
 * Must not know: transports, packets, timers; the histories of `world.ts` have those.
 */
import { Session, type SessionLimits, type SessionOutcome } from '../../src/protocol/session/session.ts';
import { chanceFrom } from './history.ts';

/** What happens in one step. What makes no sense at the moment does nothing, so any list of steps is a history. */
const steps = [
  'client sends',
  'server sends',
  'client hears',
  'server hears',
  'client beats',
  'server beats',
  'cut',
  'client notices',
  'server notices',
  'client asks',
  'request arrives',
  'request is lost',
  'request comes twice',
  'client posts',
  'post arrives',
  'post is lost',
  'post comes twice',
  'answer arrives',
  'answer is lost',
  'client hears the new connection',
  'time passes',
  'much time passes',
  'client closes',
  'server closes',
] as const;
export type Step = (typeof steps)[number];

/** How often each step is drawn. */
const WEIGHTS: Partial<Record<Step, number>> = {
  'client sends': 8,
  'server sends': 8,
  'client hears': 14,
  'server hears': 14,
  'client hears the new connection': 8,
  'client beats': 3,
  'server beats': 3,
  cut: 3,
  'client notices': 4,
  'server notices': 3,
  'client asks': 5,
  'request arrives': 8,
  'client posts': 3,
  'post arrives': 4,
  'answer arrives': 4,
};
const bag: readonly Step[] = steps.flatMap((step) => new Array<Step>(WEIGHTS[step] ?? 1).fill(step));

/** A message is its own number. */
type Item = { readonly message: number } | { readonly count: number; readonly from: number };

interface Connection {
  readonly up: Item[];
  readonly down: Item[];
  isCut: boolean;
}

interface Post {
  readonly from: number;
  readonly messages: readonly number[];
}

class EndOfSession {
  readonly name: string;
  readonly session: Session<number>;
  /** What the session has no room for, in order. */
  waiting: number[] = [];
  connection: Connection | null = null;
  /** Index of the next message that the connection brings. */
  next = 0;
  sent = 0;
  delivered = 0;
  told: SessionOutcome<number> | null = null;

  constructor(name: string, limits: SessionLimits) {
    this.name = name;
    this.session = new Session<number>(limits, 0);
    this.session.attach(0);
  }
}

const WINDOW_MS = 1000;

/** One history of the two machines. */
export class Machines {
  readonly #limits: SessionLimits;
  /** More waiting than this ends the session, as a server does it. */
  readonly #mostWaiting: number;
  readonly #client: EndOfSession;
  readonly #server: EndOfSession;
  readonly #requests: { readonly connection: Connection; readonly count: number }[] = [];
  readonly #posts: Post[] = [];
  readonly #answers: number[] = [];
  /** On which the client waits for the server's count. */
  #asked: Connection | null = null;
  #nowMs = 0;
  failure: string | null = null;

  constructor(bufferMessages: number) {
    this.#limits = { windowMs: WINDOW_MS, bufferBytes: bufferMessages * 10, bufferMessages };
    this.#mostWaiting = 3 * bufferMessages;
    this.#client = new EndOfSession('client', this.#limits);
    this.#server = new EndOfSession('server', this.#limits);
    const connection = { up: [], down: [], isCut: false };
    this.#client.connection = connection;
    this.#server.connection = connection;
  }

  /** Plays the steps, then lets the network be calm. @returns what promise was broken, and in which step. */
  run(history: readonly Step[]): string | null {
    for (const step of history) {
      this.#guard(() => this.#play(step));
      if (this.failure !== null) return `${this.failure} (when ${step})`;
    }
    this.#guard(() => this.#settle());
    return this.failure === null ? null : `${this.failure} (in the calm at the end)`;
  }

  #guard(run: () => void): void {
    try {
      run();
      this.#check();
    } catch (error) {
      this.failure ??= `an exception: ${(error as Error).message}`;
    }
  }

  #play(step: Step): void {
    const client = this.#client;
    const server = this.#server;
    switch (step) {
      case 'client sends':
        this.#send(client);
        break;
      case 'server sends':
        this.#send(server);
        break;
      case 'client hears':
        this.#hear(client, client.connection?.down);
        break;
      case 'server hears':
        this.#hear(server, server.connection?.up);
        break;
      case 'client beats':
        if (client.session.isCountNew) this.#tell(client, client.connection?.up);
        break;
      case 'server beats':
        if (server.session.isCountNew) this.#tell(server, server.connection?.down);
        break;
      case 'cut':
        if (client.connection !== null) client.connection.isCut = true;
        break;
      case 'client notices':
        if (client.connection?.isCut) this.#lose(client);
        break;
      case 'server notices':
        if (server.connection?.isCut) this.#lose(server);
        break;
      case 'client asks':
        this.#ask();
        break;
      case 'request arrives':
        this.#attach(this.#requests.shift());
        break;
      case 'request is lost':
        this.#requests.shift();
        break;
      case 'request comes twice':
        // Nobody is at the other end of the copy.
        if (this.#requests[0]) {
          this.#requests.push({ ...this.#requests[0], connection: { up: [], down: [], isCut: true } });
        }
        break;
      case 'client posts': {
        const { session } = client;
        if (session.state !== 'over') {
          this.#posts.push({ from: session.confirmed, messages: session.messagesFrom(session.confirmed) });
        }
        break;
      }
      case 'post arrives':
        this.#take(this.#posts.shift());
        break;
      case 'post is lost':
        this.#posts.shift();
        break;
      case 'post comes twice':
        if (this.#posts[0]) this.#posts.push(this.#posts[0]);
        break;
      case 'answer arrives': {
        const count = this.#answers.shift();
        if (count !== undefined) this.#confirm(client, count);
        break;
      }
      case 'answer is lost':
        this.#answers.shift();
        break;
      case 'client hears the new connection':
        this.#hearAsked();
        break;
      case 'time passes':
        this.#spend(WINDOW_MS / 4);
        break;
      case 'much time passes':
        this.#spend(WINDOW_MS);
        break;
      case 'client closes':
        this.#over(client, client.session.close());
        break;
      case 'server closes':
        this.#over(server, server.session.close());
    }
  }

  #send(end: EndOfSession): void {
    const { session, waiting } = end;
    if (session.state === 'over') return;
    const message = end.sent++;
    if (waiting.length > 0 || !this.#pass(end, message)) waiting.push(message);
    if (waiting.length > this.#mostWaiting) this.#over(end, session.close('overflow'));
  }

  /** @returns false: there is no room for it. */
  #pass(end: EndOfSession, message: number): boolean {
    const { session, connection } = end;
    if (!session.send(message, 10)) return false;
    const queue = end === this.#client ? connection?.up : connection?.down;
    if (session.state === 'attached' && !connection?.isCut) queue?.push({ message });
    return true;
  }

  #confirm(end: EndOfSession, count: number): void {
    end.session.receiveCount(count);
    this.#refill(end);
  }

  #refill(end: EndOfSession): void {
    if (!end.session.isHalfFree) return;
    while (end.waiting.length > 0 && this.#pass(end, end.waiting[0]!)) end.waiting.shift();
  }

  #hear(end: EndOfSession, queue: Item[] | undefined): void {
    const item = end.connection?.isCut ? undefined : queue?.shift();
    if (item === undefined || end.session.state === 'over') return;
    if ('message' in item) {
      this.#receive(end, end.next++, item.message);
      const back = end === this.#client ? end.connection?.up : end.connection?.down;
      if (end.session.isCountDue) this.#tell(end, back);
    } else {
      this.#confirm(end, item.count);
    }
  }

  #receive(end: EndOfSession, index: number, message: number): void {
    if (!end.session.receive(index, 10)) return;
    if (message < end.delivered) this.failure ??= `the ${end.name} got message ${message} twice`;
    else if (message > end.delivered)
      this.failure ??= `the ${end.name} got ${message} before ${end.delivered}`;
    end.delivered++;
  }

  #tell(end: EndOfSession, queue: Item[] | undefined): void {
    if (end.session.state !== 'attached') return;
    const count = end.session.tellCount();
    if (!end.connection?.isCut) queue?.push({ count, from: 0 });
  }

  #lose(end: EndOfSession): void {
    end.connection = null;
    end.session.detach(this.#nowMs);
  }

  #ask(): void {
    const { session } = this.#client;
    if (session.state === 'over') return;
    const connection = { up: [], down: [], isCut: false };
    this.#asked = connection;
    this.#requests.push({ connection, count: session.received });
  }

  #attach(request: { readonly connection: Connection; readonly count: number } | undefined): void {
    const server = this.#server;
    const { session } = server;
    if (request === undefined || session.state === 'over') return;
    const { connection, count } = request;
    const from = Math.max(count, session.confirmed);
    if (server.connection !== null && server.connection !== connection) server.connection.isCut = true;
    session.attach(from);
    server.connection = connection;
    server.next = session.received;
    connection.down.push({ count: session.tellCount(), from });
    for (const message of session.messagesFrom(from)) connection.down.push({ message });
    this.#refill(server);
  }

  #hearAsked(): void {
    const client = this.#client;
    const connection = this.#asked;
    const first = connection?.isCut ? undefined : connection?.down.shift();
    if (first === undefined || client.session.state === 'over' || !('count' in first)) return;
    this.#asked = null;
    if (first.count < client.session.confirmed) {
      // The answer to a POST has overtaken it: over this connection the server wants what was let go.
      connection!.isCut = true;
      return;
    }
    client.connection = connection;
    client.next = first.from;
    for (const message of client.session.attach(first.count)) connection!.up.push({ message });
    this.#refill(client);
  }

  #take(post: Post | undefined): void {
    const server = this.#server;
    const { session } = server;
    if (post === undefined || session.state === 'over') return;
    const { from, messages } = post;
    if (from <= session.received) {
      for (const [i, message] of messages.entries()) this.#receive(server, from + i, message);
    }
    this.#answers.push(session.tellCount());
  }

  #spend(ms: number): void {
    this.#nowMs += ms;
    for (const end of [this.#client, this.#server]) this.#over(end, end.session.expire(this.#nowMs));
  }

  #over(end: EndOfSession, outcome: SessionOutcome<number> | null): void {
    if (outcome === null) return;
    const { name, sent, told } = end;
    if (told !== null) this.failure ??= `the ${name} is told twice`;
    end.told = outcome;
    const unconfirmed = [...outcome.unconfirmed, ...end.waiting];
    const first = sent - unconfirmed.length;
    const other = end === this.#client ? this.#server : this.#client;
    if (!unconfirmed.every((message, i) => message === first + i)) {
      this.failure ??= `the ${name} is told wrongly what is unconfirmed`;
    } else if (first > other.delivered) {
      this.failure ??= `the ${name} does not know that message ${other.delivered} is lost`;
    }
  }

  /** Nothing breaks any more: all must arrive and be confirmed, or both must know that it is over. */
  #settle(): void {
    const client = this.#client;
    const server = this.#server;
    if (client.told === null && server.told === null) {
      this.#ask();
      const request = this.#requests.pop();
      this.#requests.length = 0;
      this.#attach(request);
      this.#hearAsked();
      // With little room, what waits goes on one heartbeat after the other.
      for (let rounds = client.waiting.length + server.waiting.length; rounds >= 0; rounds--) {
        this.#drain();
        this.#play('client beats');
        this.#play('server beats');
        this.#drain();
      }
      for (const [end, other] of [[client, server] as const, [server, client] as const]) {
        const { session } = end;
        if (other.delivered !== end.sent)
          this.failure ??= `${other.delivered} of ${end.sent} reached the ${other.name}`;
        else if (session.confirmed !== end.sent)
          this.failure ??= `the ${end.name} does not learn what has arrived`;
      }
    }
    // Whoever is still there hears of the end, or waits for as long as the window is.
    for (const end of [client, server]) {
      end.session.detach(this.#nowMs);
    }
    this.#spend(WINDOW_MS);
    for (const { name, told } of [client, server])
      if (told === null) this.failure ??= `the ${name} is never told`;
  }

  #drain(): void {
    const { connection } = this.#client;
    while (connection!.up.length + connection!.down.length > 0 && this.failure === null) {
      this.#hear(this.#client, connection!.down);
      this.#hear(this.#server, connection!.up);
    }
  }

  #check(): void {
    const { bufferMessages } = this.#limits;
    for (const [end, other] of [
      [this.#client, this.#server],
      [this.#server, this.#client],
    ] as const) {
      const { name, session } = end;
      if (session.confirmed > other.delivered) this.failure ??= `the ${name} lets go of what has not arrived`;
      if (session.received !== end.delivered) this.failure ??= `the ${name} counts what it has not got`;
      if (session.state !== 'over' && session.nextIndex - session.confirmed > bufferMessages) {
        this.failure ??= `the ${name} keeps more than it may`;
      }
    }
  }
}

/** The history of a seed. */
export function machineHistoryOf(seed: number): { readonly bufferMessages: number; readonly steps: Step[] } {
  const chance = chanceFrom(seed);
  const bufferMessages = chance() < 0.8 ? 1000 : 1 + Math.floor(chance() * 8);
  const length = 5 + Math.floor(chance() * (chance() < 0.5 ? 30 : 150));
  const list: Step[] = [];
  for (let i = 0; i < length; i++) list.push(bag[Math.floor(chance() * bag.length)]!);
  return { bufferMessages, steps: list };
}

/** Plays the history of a seed. @returns the promise that was broken, with the shortest steps that break it. */
export function playMachines(seed: number): string | null {
  const { bufferMessages, steps: all } = machineHistoryOf(seed);
  const fails = (list: readonly Step[]) => new Machines(bufferMessages).run(list);
  const failure = fails(all);
  if (failure === null) return null;
  const kind = failure.replace(/\d+/g, '#');
  let shortest = all;
  for (let i = shortest.length - 1; i >= 0; i--) {
    const shorter = shortest.filter((_, at) => at !== i);
    if (fails(shorter)?.replace(/\d+/g, '#') === kind) shortest = shorter;
  }
  return [
    `Seed ${seed}, machines that keep at most ${bufferMessages} messages: ${fails(shortest)}`,
    `Repeat it: npm run simulate -- --layer machines --histories 1 --seed ${seed}`,
    `The shortest history that fails in this way: ${shortest.join(', ')}`,
  ].join('\n');
}
