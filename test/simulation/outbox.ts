/**
 * What: pages with outboxes and a server that counts their lanes, over sessions that end at any step.
 * Must not know: how a session counts and what carries it; `machines.ts` and `world.ts` have that.
 */
import type { KeptSocket, OutgoingEvent, SocketOutbox } from '../../src/client/options.ts';
import { MemoryDatabase, MemoryOutboxStore } from '../../src/client/outbox/memory-store.ts';
import { Outbox } from '../../src/client/outbox/outbox.ts';
import { laneKey, OutboxReceipts } from '../../src/hub/outbox-receipts.ts';
import { OUTBOX, PacketType } from '../../src/wire/events/packet.ts';
import { chanceFrom } from './history.ts';
import { newActor, VirtualTime } from './virtual-time.ts';

/** What happens in one step. What makes no sense at the moment does nothing, so any list of steps is a history. */
const steps = [
  'a page emits',
  'the server hears',
  'a page hears',
  'a session begins',
  'a session ends',
  'a page is loaded again',
  'time passes',
  'the server is restarted',
] as const;
type What = (typeof steps)[number];

/** What happens, and in which page. */
export type Step = readonly [what: What, page: number];

/** How often each step is drawn. */
const WEIGHTS: Record<What, number> = {
  'a page emits': 10,
  'the server hears': 16,
  'a page hears': 8,
  'a session begins': 6,
  'a session ends': 3,
  'a page is loaded again': 2,
  'time passes': 4,
  'the server is restarted': 0.3,
};

/** Two tabs. */
const PAGES = 2;
const ASK_MS = 250;
/** Rounds of the calm at the end; each says all that there is to say. */
const MOST_ROUNDS = 30;

type Said = { readonly lane: string; readonly index: number; readonly message: number };
type Asked = { readonly lane: string; answer(count: unknown): void };

/** Lets all promises settle; nothing here waits for anything else. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Page implements KeptSocket {
  readonly nsp = '/';
  readonly io: KeptSocket['io'];
  connected = false;
  readonly outbox: SocketOutbox;
  readonly store: MemoryOutboxStore;
  readonly #actor = newActor();
  /** On the way to the server, and back. */
  up: (Said | Asked)[] = [];
  down: (() => void)[] = [];
  #gone: ((error: Error) => void)[] = [];

  constructor(database: MemoryDatabase, time: VirtualTime, seed: number, fail: (text: string) => void) {
    this.io = { _clock: time.clockOf(this.#actor), engine: { _isResumable: true } };
    this.store = new MemoryOutboxStore(database);
    const chance = chanceFrom(seed);
    const random = {
      fill: (bytes: Uint8Array) => {
        for (let i = 0; i < bytes.length; i++) bytes[i] = chance() * 256;
      },
    };
    const onError = (error: unknown) => fail(`the storage is said to have failed: ${String(error)}`);
    this.outbox = new Outbox(this.store, random, { onError }).attach(this);
  }

  emit(message: number): void {
    const refusal = this.outbox.push({ type: PacketType.event, nsp: '/', data: ['word', message] });
    if (refusal) throw refusal;
  }

  emitWithAck(event: string, lane: unknown): Promise<unknown> {
    if (event !== OUTBOX) throw new Error(`The outbox asks ${event}.`);
    return new Promise((resolve, reject) => {
      this.up.push({ lane: lane as string, answer: (count) => this.down.push(() => resolve(count)) });
      this.#gone.push(reject);
    });
  }

  _sendKept({ data }: OutgoingEvent, [, lane, index]: readonly unknown[]): boolean {
    if (!this.connected) throw new Error('The outbox sends without a session.');
    this.up.push({ lane: lane as string, index: index as number, message: data[1] as number });
    return true;
  }

  begin(): void {
    this.connected = true;
    this.outbox.connected();
  }

  /** What was not heard is lost, as an outbox has to assume. */
  end(): void {
    this.connected = false;
    this.up = [];
    this.down = [];
    for (const reject of this.#gone.splice(0)) reject(new Error('socket has been disconnected'));
  }

  /** The page is gone, and does nothing any more. */
  leave(): void {
    this.end();
    this.#actor.isDead = true;
    this.store.leave();
  }
}

/** One history of pages with outboxes. */
export class OutboxWorld {
  readonly #database = new MemoryDatabase();
  readonly #time = new VirtualTime();
  readonly #pages: Page[] = [];
  #receipts = new OutboxReceipts();
  #emitted = 0;
  #seeds = 0;
  /** Since the server was started: by lane the last message, and which were delivered. */
  #last = new Map<string, number>();
  #fresh = new Set<number>();
  readonly #delivered = new Set<number>();
  #failure: string | null = null;

  async run(history: readonly Step[]): Promise<string | null> {
    for (let i = 0; i < PAGES; i++) this.#pages.push(this.#open());
    for (const [what, page] of history) {
      this.#play(what, this.#pages[page]!);
      await settled();
      if (this.#failure !== null) return this.#failure;
    }
    await this.#settle();
    return this.#failure;
  }

  #open(): Page {
    return new Page(this.#database, this.#time, ++this.#seeds, (text) => this.#fail(text));
  }

  #play(what: What, page: Page): void {
    switch (what) {
      case 'a page emits':
        page.emit(this.#emitted++);
        break;
      case 'the server hears':
        this.#hear(page);
        break;
      case 'a page hears':
        page.down.shift()?.();
        break;
      case 'a session begins':
        if (!page.connected) page.begin();
        break;
      case 'a session ends':
        page.end();
        break;
      case 'a page is loaded again':
        page.leave();
        this.#pages[this.#pages.indexOf(page)] = this.#open();
        break;
      case 'time passes':
        this.#pass();
        break;
      case 'the server is restarted':
        for (const each of this.#pages) each.end();
        this.#receipts = new OutboxReceipts();
        this.#last = new Map();
        this.#fresh = new Set();
    }
  }

  #pass(): void {
    const time = this.#time;
    const untilMs = time.nowMs + ASK_MS;
    while (time.nextMs <= untilMs) time.step();
    time.after(ASK_MS, newActor(), () => {});
    time.step();
  }

  #hear(page: Page): void {
    const item = page.up.shift();
    if (item === undefined) return;
    const key = laneKey('/', item.lane)!;
    if ('answer' in item) {
      const { connected } = page;
      this.#receipts.count(key).then((count) => {
        if (connected) item.answer(count);
      });
      return;
    }
    const isNew = this.#receipts.take(page, key, item.index);
    if (isNew === null) this.#fail(`index ${item.index} is none`);
    if (isNew) this.#deliver(item);
  }

  #deliver({ lane, message }: Said): void {
    if (this.#fresh.has(message)) this.#fail(`message ${message} was delivered twice`);
    if (message < (this.#last.get(lane) ?? -1)) this.#fail(`message ${message} came behind a later one`);
    this.#last.set(lane, message);
    this.#fresh.add(message);
    this.#delivered.add(message);
  }

  /** Sessions last from now on: all must arrive, and nothing be kept for longer. */
  async #settle(): Promise<void> {
    for (const page of this.#pages) if (!page.connected) page.begin();
    const isDone = () => this.#delivered.size === this.#emitted && this.#database.all().length === 0;
    for (let round = 0; round < MOST_ROUNDS && !isDone(); round++) {
      await settled();
      for (const page of this.#pages) {
        while (page.up.length > 0) this.#hear(page);
        await settled();
        while (page.down.length > 0) page.down.shift()!();
      }
      await settled();
      this.#pass();
    }
    for (let message = 0; message < this.#emitted; message++) {
      if (!this.#delivered.has(message)) this.#fail(`message ${message} of ${this.#emitted} is lost`);
    }
    const kept = this.#database.all().length;
    if (kept > 0) this.#fail(`${kept} messages are kept for ever`);
    for (const page of this.#pages) page.leave();
  }

  #fail(text: string): void {
    this.#failure ??= text;
  }
}

/** The history of a seed. */
function outboxHistoryOf(seed: number): Step[] {
  const chance = chanceFrom(seed);
  const total = steps.reduce((sum, step) => sum + WEIGHTS[step], 0);
  return Array.from({ length: 5 + Math.floor(chance() * 60) }, () => {
    let rest = chance() * total;
    const what = steps.find((step) => {
      rest -= WEIGHTS[step];
      return rest < 0;
    })!;
    return [what, Math.floor(chance() * PAGES)] as const;
  });
}

/** Plays the history of a seed. @returns the promise that was broken, with the shortest steps that break it. */
export async function playOutbox(seed: number): Promise<string | null> {
  const fails = (list: readonly Step[]) => new OutboxWorld().run(list);
  let shortest = outboxHistoryOf(seed);
  const failure = await fails(shortest);
  if (failure === null) return null;
  for (let i = shortest.length - 1; i >= 0; i--) {
    const shorter = shortest.filter((_, at) => at !== i);
    if ((await fails(shorter)) !== null) shortest = shorter;
  }
  return `Seed ${seed}: ${await fails(shortest)}. The shortest history that fails: ${shortest
    .map(([what, page]) => `${what} (${page})`)
    .join(', ')}`;
}
