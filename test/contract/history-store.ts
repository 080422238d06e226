/**
 * What: what every HistoryStore promises, as tests; memory, Redis and others run the same.
 * Must not know: any store.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { HistoryEntry, HistoryLimits, HistoryStore } from '../../src/hub/history-store.ts';

/** Two servers' views of one set of logs, and the time by which entries grow old. */
export interface HistoryStores {
  readonly one: HistoryStore;
  readonly other: HistoryStore;
  /** Lets time pass for the stores: on a fake clock, or by waiting. */
  advance(ms: number): Promise<void> | void;
}

const limits: HistoryLimits = { limitEvents: 100, limitAgeMs: 60_000, limitBytes: 1_000_000 };
const texts = (entries: readonly HistoryEntry[]) => entries.map(({ payload }) => payload[0]);

/** @param open makes stores with nothing in them; called before each test. */
export function describeHistoryStore(name: string, open: () => Promise<HistoryStores>): void {
  describe(`the history store ${name}`, () => {
    let one: HistoryStore;
    let other: HistoryStore;
    let advance: HistoryStores['advance'];
    beforeEach(async () => {
      ({ one, other, advance } = await open());
    });

    const append = async (channel: string, ...messages: string[]) => {
      const entries: HistoryEntry[] = [];
      for (const text of messages) entries.push(await one.append(channel, [text], limits));
      return entries;
    };

    it('gives what was appended, in order, to every server', async () => {
      const bytes = Uint8Array.of(1, 2, 255);
      const first = await one.append('a', ['text', bytes, 'ü'], limits);
      const second = await other.append('a', ['2'], limits);
      expect(second.number).toBeGreaterThan(first.number);
      expect(Math.abs(first.atMs - Date.now())).toBeLessThan(600_000);
      for (const store of [one, other]) {
        const { entries, lastNumber, isContinuous } = await store.read('a', {});
        expect(entries.map(({ id, number, atMs }) => ({ id, number, atMs }))).toEqual(
          [first, second].map(({ id, number, atMs }) => ({ id, number, atMs })),
        );
        expect(entries[0]?.payload.map((part) => (typeof part === 'string' ? part : [...part]))).toEqual([
          'text',
          [1, 2, 255],
          'ü',
        ]);
        expect(lastNumber).toBeGreaterThanOrEqual(second.number);
        expect(isContinuous).toBe(false);
      }
    });

    it('keeps channels apart', async () => {
      await append('/,a', '1');
      await append('/b,a', '2');
      expect(texts((await one.read('/,a', {})).entries)).toEqual(['1']);
      expect(texts((await one.read('/b,a', {})).entries)).toEqual(['2']);
      expect((await one.read('c', {})).entries).toEqual([]);
    });

    it('enters the appends of one instance in their order, without waiting between them', async () => {
      const numbers = Array.from({ length: 50 }, (_, i) => `${i}`);
      await Promise.all(numbers.map((text) => one.append('a', [text], limits)));
      expect(texts((await other.read('a', {})).entries)).toEqual(numbers);
    });

    it('gives what followed an id, and says that nothing is missing', async () => {
      const [, second] = await append('a', '1', '2', '3');
      const page = await other.read('a', { since: second?.id ?? '' });
      expect([texts(page.entries), page.isContinuous]).toEqual([['3'], true]);
      const nothing = await other.read('a', { since: page.lastId });
      expect([nothing.entries, nothing.isContinuous]).toEqual([[], true]);
    });

    it('gives an id for the place in a channel in which nothing was said', async () => {
      const { lastId } = await one.read('a', {});
      await append('a', '1');
      const page = await one.read('a', { since: lastId });
      expect([texts(page.entries), page.isContinuous]).toEqual([['1'], true]);
    });

    it.each(['', 'x', '0', '1', '-1', 'NaN', '999999999', '0-0', '999999999999-0'])(
      'takes the unknown id %j for none',
      async (since) => {
        await append('a', '1', '2');
        const page = await one.read('a', { since });
        expect([texts(page.entries), page.isContinuous]).toEqual([['1', '2'], false]);
      },
    );

    it.each([
      [0, []],
      [1, ['3']],
      [3, ['1', '2', '3']],
      [9, ['1', '2', '3']],
    ])('gives the latest %j on request', async (limit, expected) => {
      await append('a', '1', '2', '3');
      expect(texts((await one.read('a', { limit })).entries)).toEqual(expected);
    });

    it('says that something is missing when more followed than was asked for', async () => {
      const [first] = await append('a', '1', '2', '3');
      const cut = await one.read('a', { since: first?.id ?? '', limit: 1 });
      expect([texts(cut.entries), cut.isContinuous]).toEqual([['3'], false]);
      const whole = await one.read('a', { since: first?.id ?? '', limit: 2 });
      expect([texts(whole.entries), whole.isContinuous]).toEqual([['2', '3'], true]);
    });

    it('keeps no more events than the limit, and knows what is missing then', async () => {
      const ids: string[] = [];
      for (const text of ['1', '2', '3', '4', '5']) {
        ids.push((await one.append('a', [text], { ...limits, limitEvents: 3 })).id);
      }
      expect(texts((await one.read('a', {})).entries)).toEqual(['3', '4', '5']);
      const known = await one.read('a', { since: ids[1] ?? '' });
      expect([texts(known.entries), known.isContinuous]).toEqual([['3', '4', '5'], true]);
      const gone = await one.read('a', { since: ids[0] ?? '' });
      expect([texts(gone.entries), gone.isContinuous]).toEqual([['3', '4', '5'], false]);
    });

    it('keeps no more bytes than the limit, whatever the payload is made of', async () => {
      const payload = ['x'.repeat(1000), new Uint8Array(1000)];
      for (let i = 0; i < 10; i++) await one.append('a', payload, { ...limits, limitBytes: 7000 });
      const { entries } = await one.read('a', {});
      expect(entries.length).toBeGreaterThanOrEqual(2);
      expect(entries.length).toBeLessThanOrEqual(3);
      await one.append('a', ['x'.repeat(8000)], { ...limits, limitBytes: 7000 });
      expect((await one.read('a', {})).entries).toEqual([]);
    });

    it('shows nothing that is older than the limit', async () => {
      const old = await one.append('a', ['old'], { ...limits, limitAgeMs: 500 });
      await advance(300);
      const middle = await one.append('a', ['middle'], { ...limits, limitAgeMs: 500 });
      await advance(300);
      expect(texts((await other.read('a', {})).entries)).toEqual(['middle']);
      expect((await other.read('a', { since: old.id })).isContinuous).toBe(true);
      await advance(600);
      expect((await other.read('a', { since: old.id })).isContinuous).toBe(false);
      expect((await other.read('a', { since: middle.id })).isContinuous).toBe(true);
    });

    it('tells every subscriber each entry once and in order, from its subscription on', async () => {
      await append('a', 'before');
      const told: string[][] = [[], []];
      let wake = () => {};
      const ends = await Promise.all(
        [one, other].map((store, i) =>
          store.subscribe('a', ({ payload }) => {
            told[i]?.push(String(payload[0]));
            wake();
          }),
        ),
      );
      const numbers = Array.from({ length: 20 }, (_, i) => `${i}`);
      await append('b', 'elsewhere');
      await Promise.all(numbers.map((text, i) => (i < 10 ? one : other).append('a', [text], limits)));
      while (told.some((list) => list.length < 20)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      // Whatever the order between the two servers is, it is the same for all.
      const order = texts((await one.read('a', {})).entries).slice(1);
      expect(told).toEqual([order, order]);
      expect([...order].sort()).toEqual([...numbers].sort());
      for (const end of ends) end();
    });

    it('tells nothing after the end of a subscription', async () => {
      const told: string[] = [];
      const end = await one.subscribe('a', () => told.push('ended'));
      let resolve: () => void = () => {};
      const last = new Promise<void>((done) => {
        resolve = done;
      });
      const endOther = await one.subscribe('a', () => {
        told.push('other');
        resolve();
      });
      end();
      await append('a', '1');
      await last;
      expect(told).toEqual(['other']);
      endOther();
    });

    it('clears a channel: who comes back begins anew, and no id is given twice', async () => {
      const [first, second] = await append('a', '1', '2');
      await one.clear('a');
      await one.clear('a');
      expect((await other.read('a', {})).entries).toEqual([]);
      expect((await other.read('a', { since: first?.id ?? '' })).isContinuous).toBe(false);
      const [third] = await append('a', '3');
      expect([first?.id, second?.id]).not.toContain(third?.id);
      expect(third?.number).toBeGreaterThan(second?.number ?? 0);
      const page = await other.read('a', { since: first?.id ?? '' });
      expect([texts(page.entries), page.isContinuous]).toEqual([['3'], false]);
    });

    it('keeps what was appended, whatever becomes of the bytes', async () => {
      const bytes = Uint8Array.of(1, 2, 3);
      await one.append('a', ['text', bytes], limits);
      bytes.fill(0);
      const [entry] = (await one.read('a', {})).entries;
      expect(entry?.payload[1]).toSatisfy((kept: Uint8Array) => kept.join() === '1,2,3');
    });
  });
}
