/**
 * What: the lanes of one socket: its own, and those that pages which are gone have left behind; when each is sent and forgotten.
 * Must not know: any kind of storage, transports, how packets are written.
 */
import type { UsageError } from '../../base/errors.ts';
import type { Timer } from '../../base/port.ts';
import { type EventArguments, OUTBOX, PacketType } from '../../wire/events/packet.ts';
import type { KeptSocket, OutgoingEvent, SocketOutbox } from '../options.ts';
import type { OutboxBudget } from './outbox.ts';
import type { OutboxStore, StoredMessage } from './store.ts';

/** How long after a message the server is asked what it has; nothing depends on it but the room in the storage. */
const ASK_AFTER_MS = 200;
/** With so many unanswered it is asked at once. */
const ASK_AFTER_MESSAGES = 64;

/** How long the page waits for the one that it takes the place of, which may still be leaving. */
const PATIENCE_MS = 1000;

const MESSAGE_OVERHEAD_BYTES = 128;

interface Kept {
  readonly index: number;
  readonly packet: OutgoingEvent;
  readonly bytes: number;
  /** Whether it was sent in this session. */
  isSent: boolean;
}

interface Lane {
  readonly name: string;
  /** In order. */
  messages: Kept[];
  /** Whether the server may have some of them: they were sent in another session, or by another page. */
  isDoubtful: boolean;
  release?: () => void;
}

/** docs/protocol/outbox.md: each message has a lane and a place in it, by which the server knows what it has. */
export class SocketLanes implements SocketOutbox {
  readonly #socket: KeptSocket;
  readonly #store: OutboxStore;
  readonly #budget: OutboxBudget;
  readonly #note: (saving: Promise<unknown>) => void;
  readonly #own: Lane;
  /** Left behind by others, the oldest first; then our own. */
  readonly #lanes: Lane[];
  readonly #ready: Promise<unknown>;
  readonly #loaded: Promise<void>;
  #next = 0;
  /** Counts sessions. */
  #session = 0;
  /** Whether what is emitted leaves at once. */
  #isLive = false;
  /** Whether the server can tell what it has; otherwise what has left is forgotten. */
  #isCounting = true;
  #isAsking = false;
  #timer: Timer | undefined;

  constructor(
    socket: KeptSocket,
    store: OutboxStore,
    name: string,
    budget: OutboxBudget,
    note: (saving: Promise<unknown>) => void,
  ) {
    this.#socket = socket;
    this.#store = store;
    this.#budget = budget;
    this.#note = note;
    this.#own = { name, messages: [], isDoubtful: false };
    this.#lanes = [this.#own];
    // Before the first message is kept, so that no other page takes it for left behind.
    this.#ready = store.own(name);
    this.#loaded = this.#load().catch((error: unknown) => note(Promise.reject(error)));
  }

  async #load(): Promise<void> {
    const before = this.#store.swapLane(this.#socket.nsp, this.#own.name);
    const names = new Set<string>();
    for (const { lane, nsp } of await this.#store.load()) if (nsp === this.#socket.nsp) names.add(lane);
    names.delete(this.#own.name);
    await Promise.all(
      [...names].map(async (name) => {
        const lock = await this.#store.own(name, name === before ? PATIENCE_MS : 0);
        if (lock !== null) await this.#adopt(name, lock.release);
        else this.#adoptLater(name);
      }),
    );
    const others = this.#lanes.splice(0, this.#lanes.length - 1);
    this.#lanes.unshift(...others.sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  /** Its page lives. When it goes, what it leaves behind is ours. */
  #adoptLater(name: string): void {
    const adopt = async (): Promise<void> => {
      const lock = await this.#store.own(name);
      const lane = lock && (await this.#adopt(name, lock.release));
      if (lane && this.#isLive) await this.#goOn();
    };
    adopt().catch((error: unknown) => this.#note(Promise.reject(error)));
  }

  async #adopt(name: string, release: () => void): Promise<Lane | null> {
    // Again, for its page may have gone on, or have been done, before it was gone.
    const stored = (await this.#store.load()).filter(({ lane }) => lane === name);
    if (stored.length === 0) {
      release();
      return null;
    }
    const { nsp } = this.#socket;
    const messages = stored.map(({ index, data }): Kept => {
      const packet: OutgoingEvent = { type: PacketType.event, nsp, data: data as EventArguments };
      return { index, packet, bytes: sizeOf(data) + MESSAGE_OVERHEAD_BYTES, isSent: false };
    });
    const lane: Lane = { name, messages, isDoubtful: true, release };
    this.#budget.add(messages.length, bytesOf(messages));
    this.#lanes.unshift(lane);
    return lane;
  }

  push(packet: OutgoingEvent): UsageError | undefined {
    const bytes = sizeOf(packet.data) + MESSAGE_OVERHEAD_BYTES;
    const refusal = this.#budget.refusal(bytes);
    if (refusal !== undefined) return refusal;
    const lane = this.#own;
    const kept: Kept = { index: this.#next++, packet, bytes, isSent: false };
    const { nsp, data } = packet;
    this.#budget.add(1, bytes);
    lane.messages.push(kept);
    this.#note(this.#save(kept, { lane: lane.name, index: kept.index, nsp, data }));
    if (this.#isLive && this.#socket.connected) this.#send(lane, kept);
    return undefined;
  }

  async #save(kept: Kept, message: StoredMessage): Promise<void> {
    // As it is now: a program may change later what it has emitted.
    const copy = structuredClone(message);
    await this.#ready;
    // What was confirmed meanwhile need not be kept.
    if (this.#own.messages.includes(kept)) await this.#store.put(copy);
  }

  holds(ackId: number): boolean {
    return this.#own.messages.some(({ packet, isSent }) => packet.id === ackId && !isSent);
  }

  connected(): void {
    const session = ++this.#session;
    this.#isLive = false;
    this.#isAsking = false;
    for (const lane of this.#lanes) {
      for (const message of lane.messages) {
        lane.isDoubtful ||= message.isSent;
        message.isSent = false;
      }
    }
    this.#loaded
      .then(() => {
        if (session === this.#session && this.#socket.connected) return this.#goOn();
      })
      .catch((error: unknown) => this.#note(Promise.reject(error)));
  }

  /** Asks what the server has of what it may have; then sends the rest, the oldest first. */
  async #goOn(): Promise<void> {
    const session = this.#session;
    this.#isLive = false;
    this.#isCounting = this.#socket.io.engine._isResumable;
    if (this.#isCounting) {
      const doubtful = this.#lanes.filter(({ isDoubtful }) => isDoubtful);
      try {
        await Promise.all(doubtful.map((lane) => this.#ask(lane)));
      } catch {
        // The session is over. With the next one it is asked again.
        return;
      }
      if (session !== this.#session) return;
      for (const lane of doubtful) lane.isDoubtful = false;
    }
    this.#isLive = true;
    for (const lane of [...this.#lanes]) {
      for (const message of [...lane.messages]) if (!message.isSent) this.#send(lane, message);
    }
    // A question that was due meanwhile was not asked.
    this.#askIfSent();
  }

  #send(lane: Lane, message: Kept): void {
    message.isSent = true;
    const head = this.#isCounting ? [OUTBOX, lane.name, message.index] : [];
    let hasLeft = false;
    try {
      // Not if it is larger than what the server takes, which the program is told.
      hasLeft = this.#socket._sendKept(message.packet, head);
    } catch (error) {
      // It cannot be written as a packet, and never will; the others must not wait for it.
      this.#note(Promise.reject(error));
    }
    if (hasLeft && this.#isCounting) this.#askSoon();
    else this.#forget(lane, message.index, message.index + 1);
  }

  #askSoon(): void {
    if (this.#isAsking) return;
    const waiting = this.#lanes.reduce((sum, lane) => sum + lane.messages.length, 0);
    if (waiting >= ASK_AFTER_MESSAGES) this.#askAll();
    else this.#timer ??= this.#socket.io._clock.setTimer(ASK_AFTER_MS, () => this.#askAll());
  }

  /** What was sent is forgotten once the server says that it has it. */
  #askIfSent(): void {
    if (this.#lanes.some(({ messages }) => messages.some(({ isSent }) => isSent))) this.#askSoon();
  }

  #askAll(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.#isLive || !this.#socket.connected) return;
    const session = this.#session;
    this.#isAsking = true;
    const lanes = this.#lanes.filter(({ messages }) => messages.some(({ isSent }) => isSent));
    Promise.all(lanes.map((lane) => this.#ask(lane))).then(
      () => {
        if (session !== this.#session) return;
        this.#isAsking = false;
        this.#askIfSent();
      },
      () => {
        // The session is over.
      },
    );
  }

  /** docs/protocol/outbox.md, "Question". */
  async #ask(lane: Lane): Promise<void> {
    const count = await this.#socket.emitWithAck(OUTBOX, lane.name);
    if (count === false) this.#isCounting = false;
    else if (typeof count === 'number') this.#forget(lane, 0, count);
  }

  #forget(lane: Lane, from: number, end: number): void {
    const isGone = ({ index }: Kept) => index >= from && index < end;
    const gone = lane.messages.filter(isGone);
    if (gone.length > 0) {
      lane.messages = lane.messages.filter((message) => !isGone(message));
      this.#budget.add(-gone.length, -bytesOf(gone));
      this.#note(this.#store.remove(lane.name, from, end));
    }
    const at = this.#lanes.indexOf(lane);
    // It may have been asked for twice, and be gone since the first answer.
    if (lane.messages.length > 0 || lane === this.#own || at === -1) return;
    this.#lanes.splice(at, 1);
    lane.release?.();
  }

  /** Forgets all that waits. */
  clear(): void {
    for (const lane of [...this.#lanes]) this.#forget(lane, 0, Number.POSITIVE_INFINITY);
  }
}

function bytesOf(messages: readonly Kept[]): number {
  return messages.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What a value takes in memory, roughly. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length * 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (value instanceof Blob) return value.size;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  return Object.entries(value).reduce((sum, [key, each]) => sum + key.length * 2 + sizeOf(each), 16);
}
