/**
 * What: what every PresenceStore promises, as tests; memory, Redis and others run the same.
 * Must not know: any store.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PresenceChange, PresenceEntry, PresenceStore } from '../../src/hub/presence-store.ts';

/** Two servers' views of one set of entries. */
export interface PresenceStores {
  readonly one: PresenceStore;
  readonly other: PresenceStore;
}

const entry = (id: string, meta: unknown = null, key = id): PresenceEntry => ({
  id,
  key,
  meta,
  isInterrupted: false,
});

/** What a subscriber was told, and a way to wait for more. */
class Subscriber {
  readonly told: PresenceChange[] = [];
  readonly end: () => void;
  #wake: () => void = () => {};

  constructor(store: PresenceStore, channel: string) {
    this.end = store.subscribe(channel, (change) => {
      this.told.push(change);
      this.#wake();
    });
  }

  /** @returns what was told, once it is so much. */
  async until(count: number): Promise<PresenceChange[]> {
    while (this.told.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.told;
  }
}

/** @param open makes stores with nothing in them; called before each test. */
export function describePresenceStore(name: string, open: () => Promise<PresenceStores>): void {
  describe(`the presence store ${name}`, () => {
    let one: PresenceStore;
    let other: PresenceStore;
    beforeEach(async () => {
      ({ one, other } = await open());
    });

    it('lists entries in the order of their last put, on every server', async () => {
      await one.put('a', entry('1', { n: 1 }));
      await other.put('a', entry('2', 'text'));
      await one.put('a', entry('3'));
      await one.put('a', entry('1', [1]));
      const expected = [entry('2', 'text'), entry('3'), entry('1', [1])];
      expect(await one.list('a')).toEqual(expected);
      expect(await other.list('a')).toEqual(expected);
    });

    it('keeps channels apart', async () => {
      await one.put('/,a', entry('1'));
      await one.put('/b,a', entry('2'));
      await one.remove('/,a', '2');
      expect(await other.list('/,a')).toEqual([entry('1')]);
      expect(await other.list('/b,a')).toEqual([entry('2')]);
      expect(await other.list('c')).toEqual([]);
    });

    it('marks an entry without moving it', async () => {
      await one.put('a', entry('1'));
      await one.put('a', entry('2'));
      await other.mark('a', '1', true);
      expect(await one.list('a')).toEqual([{ ...entry('1'), isInterrupted: true }, entry('2')]);
      await one.mark('a', '1', false);
      expect(await other.list('a')).toEqual([entry('1'), entry('2')]);
    });

    it('tells a subscriber the state, then each change once and in order', async () => {
      await one.put('a', entry('1', 'before'));
      const subscribers = [new Subscriber(one, 'a'), new Subscriber(other, 'a')];
      for (const subscriber of subscribers) await subscriber.until(1);
      await one.put('a', entry('2'));
      await other.mark('a', '2', true);
      await one.put('a', entry('1', 'after'));
      await other.remove('a', '2');
      for (const subscriber of subscribers) {
        expect(await subscriber.until(5)).toEqual([
          { type: 'state', entries: [entry('1', 'before')] },
          { type: 'put', entry: entry('2') },
          { type: 'mark', id: '2', isInterrupted: true },
          { type: 'put', entry: entry('1', 'after') },
          { type: 'remove', id: '2' },
        ]);
        subscriber.end();
      }
    });

    it('takes the calls of one instance in their order, without waiting between them', async () => {
      const subscriber = new Subscriber(other, 'a');
      await subscriber.until(1);
      await Promise.all([
        one.put('a', entry('1', 1)),
        one.mark('a', '1', true),
        one.remove('a', '1'),
        one.put('a', entry('1', 2)),
      ]);
      expect((await subscriber.until(5)).slice(1).map(({ type }) => type)).toEqual([
        'put',
        'mark',
        'remove',
        'put',
      ]);
      expect(await one.list('a')).toEqual([entry('1', 2)]);
      subscriber.end();
    });

    it('takes a removal that is asked again because nobody knows whether it was taken, and tells it once', async () => {
      const subscriber = new Subscriber(other, 'a');
      await one.put('a', entry('1'));
      await subscriber.until(2);
      await one.remove('a', '1');
      await one.remove('a', '1');
      await other.remove('a', '1');
      await one.put('a', entry('1', 'back'));
      expect((await subscriber.until(4)).slice(2)).toEqual([
        { type: 'remove', id: '1' },
        { type: 'put', entry: entry('1', 'back') },
      ]);
      expect(await one.list('a')).toEqual([entry('1', 'back')]);
      subscriber.end();
    });

    it('tells nobody of what is so already, or is not known', async () => {
      await one.put('a', entry('1'));
      const subscriber = new Subscriber(one, 'a');
      await subscriber.until(1);
      await one.mark('a', '1', false);
      await one.mark('a', '2', true);
      await one.remove('a', '2');
      await one.remove('b', '1');
      await one.put('a', entry('9', 'the end'));
      expect((await subscriber.until(2))[1]).toEqual({ type: 'put', entry: entry('9', 'the end') });
      subscriber.end();
    });

    it('tells the same put again', async () => {
      const subscriber = new Subscriber(one, 'a');
      await subscriber.until(1);
      await one.put('a', entry('1'));
      await one.put('a', entry('1'));
      expect((await subscriber.until(3)).slice(1)).toEqual([
        { type: 'put', entry: entry('1') },
        { type: 'put', entry: entry('1') },
      ]);
      subscriber.end();
    });

    it('keeps what was put, whatever becomes of the object', async () => {
      const meta = { name: 'Ada' };
      await one.put('a', entry('1', meta));
      meta.name = 'Bob';
      expect(await one.list('a')).toEqual([entry('1', { name: 'Ada' })]);
    });

    it('tells nothing after the end of a subscription', async () => {
      const ended = new Subscriber(one, 'a');
      const other = new Subscriber(one, 'a');
      await ended.until(1);
      await other.until(1);
      ended.end();
      await one.put('a', entry('1'));
      await other.until(2);
      expect(ended.told).toHaveLength(1);
      ended.end();
      other.end();
    });

    it('holds names that mean something to JavaScript', async () => {
      const odd = entry('__proto__', { hasOwnProperty: 1 }, 'constructor');
      await one.put('__proto__', odd);
      expect(await other.list('__proto__')).toEqual([odd]);
      await one.remove('__proto__', '__proto__');
      expect(await other.list('__proto__')).toEqual([]);
    });
  });
}
