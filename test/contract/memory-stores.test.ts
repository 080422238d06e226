/**
 * What: runs the contracts of presence and history against the stores in memory, and their own bounds.
 * Must not know: what other stores need.
 */
import { describe, expect, it } from 'vitest';
import { MemoryHistoryStore } from '../../src/hub/memory-history-store.ts';
import { MemoryPresenceStore } from '../../src/hub/memory-presence-store.ts';
import { FakeClock } from '../unit/engine/server/fake-clock.ts';
import { describeHistoryStore } from './history-store.ts';
import { describePresenceStore } from './presence-store.ts';

describePresenceStore('in memory', () => {
  const store = new MemoryPresenceStore();
  return Promise.resolve({ one: store, other: store });
});

describeHistoryStore('in memory', () => {
  const clock = new FakeClock();
  const store = new MemoryHistoryStore({ clock });
  return Promise.resolve({ one: store, other: store, advance: (ms) => clock.advance(ms) });
});

describe('the history store in memory', () => {
  const limits = { limitEvents: 10, limitAgeMs: 1000, limitBytes: 100_000 };

  it('forgets the room that was silent longest when all together hold too much', async () => {
    const store = new MemoryHistoryStore({ limitTotalBytes: 10_000 });
    const text = 'x'.repeat(3000);
    const first = await store.append('a', [text], limits);
    await store.append('b', [text], limits);
    await store.append('a', [text], limits);
    await store.append('c', [text], limits);
    expect((await store.read('b', {})).entries).toEqual([]);
    expect((await store.read('a', { since: first.id })).isContinuous).toBe(true);
    expect(store.bytes).toBeLessThanOrEqual(10_000);
  });

  it('lets go of rooms in which everything is too old, as others are spoken in', async () => {
    const clock = new FakeClock();
    const store = new MemoryHistoryStore({ clock });
    for (let i = 0; i < 100; i++) await store.append(`room ${i}`, ['x'.repeat(100)], limits);
    const before = store.bytes;
    clock.advance(1001);
    await store.append('another', ['x'.repeat(100)], limits);
    expect(store.bytes).toBe(before / 100);
  });
});
