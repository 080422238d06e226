// What: the rooms that exist: found or made by name, kept on disk, bounded in number.
// Must not know: sockets, HTTP.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkOperation } from './checks.mjs';
import { openJournal } from './journal.mjs';
import { LIMITS } from './public/limits.js';

/** Rooms in memory, and rooms on disk. Beyond that, the one that nobody has used for longest goes. */
const OPEN_ROOMS = 50;
const KEPT_ROOMS = 300;

export class Rooms {
  #directory;
  /** Least recently used first. */
  #open = new Map();

  constructor(directory) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** The room of that name, or undefined if all rooms are taken or this one is full. */
  find(name) {
    const room = this.#open.get(name) ?? this.#load(name);
    if (room === undefined || room.people.size >= LIMITS.people) return undefined;
    this.#open.delete(name);
    this.#open.set(name, room);
    return room;
  }

  #load(name) {
    if (this.#open.size >= OPEN_ROOMS && !this.#forgetOne()) return undefined;
    const path = join(this.#directory, fileName(name));
    this.#deleteOldest();
    return new Room(name, openJournal(path));
  }

  #forgetOne() {
    for (const [name, room] of this.#open) {
      if (room.people.size === 0 && room.idle) return this.#open.delete(name);
    }
    return false;
  }

  #deleteOldest() {
    const files = readdirSync(this.#directory).filter((file) => file.endsWith('.jsonl'));
    if (files.length < KEPT_ROOMS) return;
    const inUse = new Set([...this.#open.keys()].map(fileName));
    const aged = files
      .filter((file) => !inUse.has(file))
      .map((file) => ({
        path: join(this.#directory, file),
        at: statSync(join(this.#directory, file)).mtimeMs,
      }))
      .sort((a, b) => a.at - b.at);
    for (const { path } of aged.slice(0, files.length - KEPT_ROOMS + 1)) rmSync(path, { force: true });
  }
}

/** Any name in any language becomes a file name that every file system takes. */
const fileName = (room) => `${createHash('sha256').update(room).digest('hex').slice(0, 32)}.jsonl`;

/** One room: what it holds, who is in it, and the rules by which an operation becomes an entry. */
export class Room {
  /** Connections by their id, each with the person behind it: somebody with two windows is one person. */
  people = new Map();
  #state;
  #journal;

  constructor(name, { state, journal }) {
    this.name = name;
    this.#state = state;
    this.#journal = journal;
  }

  get idle() {
    return this.#journal.idle;
  }

  view() {
    return this.#state.view();
  }

  here() {
    return [...new Map([...this.people.values()].map(({ id, name }) => [id, { id, name }])).values()];
  }

  /**
   * Decides on an operation by `person`: `{ entry }` if it changed the room, `{}` if it is the repeat of one that
   * did, `{ refused }` with a reason if it never will.
   */
  accept(received, person, nowMs = Date.now()) {
    const op = checkOperation(received);
    if (op === undefined) return { refused: 'not a valid operation' };
    const id = `${person.id}.${op.id}`;
    if (this.#state.has(id)) return {};
    const entry = { ...op, id, by: person.id, seq: this.#state.seq + 1 };
    // Keys of strokes are prefixed by the author, so that nobody can undo or take the place of another's.
    if (op.stroke !== undefined) entry.stroke = `${person.id}.${op.stroke}`;
    if (op.type === 'say') Object.assign(entry, { name: person.name, at: nowMs });
    if (op.type === 'clear') entry.name = person.name;
    this.#state.apply(entry);
    return { entry };
  }

  /** Resolves when the entries will survive the end of the server. */
  save(entries) {
    return this.#journal.append(entries, this.#state);
  }
}
