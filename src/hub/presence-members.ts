/**
 * What: makes members out of a store's entries, and tells which of them joined, changed or left by each change.
 * Must not know: stores, sockets, or who is told.
 */
import type { PresenceMember } from '../base/room-events.ts';
import type { PresenceChange, PresenceEntry } from './presence-store.ts';

/** What happens to a member. */
export type PresenceEventName = 'join' | 'update' | 'leave';

/** Told of each difference, in order. */
export type PresenceDifference = (event: PresenceEventName, member: PresenceMember) => void;

/** The entries of one room, by id and by key. */
export class PresenceMembers {
  readonly #entries = new Map<string, PresenceEntry>();
  /** The ids of each key, in the order in which they said something last. */
  readonly #ids = new Map<string, Set<string>>();

  /** The members, in the order in which they came. */
  list(): PresenceMember[] {
    return [...this.#ids.keys()].map((key) => this.#member(key) as PresenceMember);
  }

  /** Takes a change in, and tells what it means. A state means what distinguishes it from what was known. */
  apply(change: PresenceChange, tell: PresenceDifference): void {
    if (change.type === 'state') {
      this.#replace(change.entries, tell);
      return;
    }
    const id = change.type === 'put' ? change.entry.id : change.id;
    const old = this.#entries.get(id);
    const keys = new Set<string>();
    if (old !== undefined) keys.add(old.key);
    if (change.type === 'put') keys.add(change.entry.key);
    const before = [...keys].map((key) => this.#member(key));
    if (change.type === 'mark') {
      if (old !== undefined) this.#entries.set(id, { ...old, isInterrupted: change.isInterrupted });
    } else {
      // Whoever goes on under the same key keeps its place among the members.
      if (old !== undefined) this.#remove(old, change.type === 'put' ? change.entry.key : null);
      if (change.type === 'put') this.#add(change.entry);
    }
    // Of one who changes its key the old one leaves first.
    [...keys].forEach((key, index) => {
      compare(before[index], this.#member(key), tell);
    });
  }

  #replace(entries: readonly PresenceEntry[], tell: PresenceDifference): void {
    const before = this.list();
    this.#entries.clear();
    this.#ids.clear();
    for (const entry of entries) this.#add(entry);
    const known = new Map(before.map((member) => [member.key, member]));
    for (const member of before) compare(member, this.#member(member.key), tell);
    for (const member of this.list()) {
      if (!known.has(member.key)) tell('join', member);
    }
  }

  #add(entry: PresenceEntry): void {
    this.#entries.set(entry.id, entry);
    const ids = this.#ids.get(entry.key);
    if (ids === undefined) this.#ids.set(entry.key, new Set([entry.id]));
    else ids.add(entry.id);
  }

  #remove({ id, key }: PresenceEntry, nextKey: string | null): void {
    this.#entries.delete(id);
    const ids = this.#ids.get(key);
    ids?.delete(id);
    if (ids?.size === 0 && key !== nextKey) this.#ids.delete(key);
  }

  #member(key: string): PresenceMember | undefined {
    const entries = [...(this.#ids.get(key) ?? [])].map((id) => this.#entries.get(id) as PresenceEntry);
    const last = entries.at(-1);
    if (last === undefined) return undefined;
    return { key, meta: last.meta, isInterrupted: entries.every(({ isInterrupted }) => isInterrupted) };
  }
}

function compare(
  before: PresenceMember | undefined,
  after: PresenceMember | undefined,
  tell: PresenceDifference,
): void {
  if (after === undefined) {
    if (before !== undefined) tell('leave', before);
  } else if (before === undefined) {
    tell('join', after);
  } else if (
    before.isInterrupted !== after.isInterrupted ||
    // Metas are JSON; a store may give equal ones as different objects, with their keys in the same order.
    (before.meta !== after.meta && JSON.stringify(before.meta) !== JSON.stringify(after.meta))
  ) {
    tell('update', after);
  }
}
