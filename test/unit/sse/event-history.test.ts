import { describe, expect, it } from 'vitest';
import { EventHistory } from '../../../src/sse/event-history.ts';
import { FakeClock } from './fake-clock.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const dataOf = (events: readonly { bytes: Uint8Array }[]) =>
  events.map(({ bytes }) => /data: (.*)/.exec(text(bytes))?.[1]);

function fill(history: EventHistory, count: number, from = 1): void {
  for (let i = 0; i < count; i++) history.add({ data: `${from + i}` });
}

describe('a history', () => {
  it('gives ids that go up by one', () => {
    const history = new EventHistory({ epoch: 'e' });
    expect([history.startId, history.lastId]).toEqual(['e-0', 'e-0']);
    expect(text(history.add({ event: 'tick', data: 'a' }).bytes)).toBe('event: tick\nid: e-1\ndata: a\n\n');
    expect(text(history.add({ data: 'b' }).bytes)).toBe('id: e-2\ndata: b\n\n');
    expect([history.startId, history.lastId, history.size]).toEqual(['e-0', 'e-2', 2]);
  });

  it('gives what followed an id, in order', () => {
    const history = new EventHistory({ epoch: 'e' });
    fill(history, 4);
    for (const [id, expected] of [
      ['e-0', ['1', '2', '3', '4']],
      ['e-2', ['3', '4']],
      ['e-4', []],
      ['', []],
    ] as const) {
      const { events, isComplete } = history.after(id);
      expect([dataOf(events), isComplete]).toEqual([expected, true]);
    }
  });

  it.each(['e-5', 'e-', 'e-x', 'e--1', 'e-1.5', 'e-9999999999999999', 'f-1', '1', 'E-1', 'e-1 '])(
    'does not know the id %j',
    (id) => {
      const history = new EventHistory({ epoch: 'e' });
      fill(history, 4);
      expect(history.after(id)).toEqual({ events: [], isComplete: false });
    },
  );

  it('does not take the ids of another process for its own', () => {
    const before = new EventHistory();
    fill(before, 3);
    const after = new EventHistory();
    fill(after, 5);
    expect(after.after(before.lastId).isComplete).toBe(false);
  });

  it('refuses an event that has an id', () => {
    const add = () => new EventHistory().add({ data: 'a', id: '7' });
    expect(add).toThrow(expect.objectContaining({ name: 'UsageError', code: 'SSE_ID_GIVEN' }));
  });

  it('is bounded by count: the oldest are forgotten, and who needs them is told', () => {
    const history = new EventHistory({ epoch: 'e', limitEvents: 3 });
    fill(history, 10);
    expect(history.size).toBe(3);
    expect(history.startId).toBe('e-7');
    expect(dataOf(history.after('e-7').events)).toEqual(['8', '9', '10']);
    expect(history.after('e-6')).toEqual({ events: [], isComplete: false });
  });

  it('is bounded by bytes', () => {
    const history = new EventHistory({ epoch: 'e', limitBytes: 100 });
    for (let i = 0; i < 50; i++) {
      history.add({ data: 'x'.repeat(i) });
      expect(history.bytes).toBeLessThanOrEqual(100);
    }
    expect(history.size).toBe(1);
    history.add({ data: 'x'.repeat(200) });
    expect([history.size, history.bytes]).toEqual([0, 0]);
    expect(history.after(history.lastId)).toEqual({ events: [], isComplete: true });
    expect(history.after('e-50').isComplete).toBe(false);
  });

  it('is bounded by age, also when nothing comes', () => {
    const clock = new FakeClock();
    const history = new EventHistory({ epoch: 'e', limitAgeMs: 1000, clock });
    fill(history, 2);
    clock.advance(600);
    fill(history, 1, 3);
    clock.advance(399);
    expect(dataOf(history.after('e-0').events)).toEqual(['1', '2', '3']);
    clock.advance(1);
    expect(history.after('e-1').isComplete).toBe(false);
    expect(dataOf(history.after('e-2').events)).toEqual(['3']);
    clock.advance(10_000);
    expect(history.after('e-2').isComplete).toBe(false);
    expect(history.after('e-3')).toEqual({ events: [], isComplete: true });
    expect(history.size).toBe(0);
  });

  it('stays right over many events, whatever it forgets', () => {
    const history = new EventHistory({ epoch: 'e', limitEvents: 100 });
    for (let i = 1; i <= 5000; i++) {
      history.add({ data: `${i}` });
      if (i % 97 !== 0) continue;
      const first = Math.max(1, i - 99);
      expect(history.startId).toBe(`e-${first - 1}`);
      const expected = Array.from({ length: i - first + 1 }, (_, k) => `${first + k}`);
      expect(dataOf(history.after(`e-${first - 1}`).events)).toEqual(expected);
    }
  });
});
