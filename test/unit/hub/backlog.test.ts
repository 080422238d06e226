import { describe, expect, it } from 'vitest';
import { Backlog } from '../../../src/hub/backlog.ts';
import { EventGate } from '../../../src/hub/event-gate.ts';
import { FakeClock } from '../engine/server/fake-clock.ts';

const MIB = 1024 * 1024;

function start() {
  const clock = new FakeClock();
  const turns: string[] = [];
  const client = {
    owesAnswer: false,
    holdReading: (isHeld: boolean) => void turns.push(isHeld ? 'stop' : 'read'),
  };
  return { clock, turns, client, backlog: new Backlog(client, clock) };
}

describe('the backlog of a client', () => {
  it('stops the reading above a mebibyte, and goes on with it at half', () => {
    const { backlog, turns } = start();
    backlog.add(MIB);
    expect(turns).toEqual([]);
    backlog.add(1);
    backlog.add(1);
    expect(turns).toEqual(['stop']);
    backlog.remove(MIB / 2);
    expect(turns).toEqual(['stop']);
    backlog.remove(2);
    expect(turns).toEqual(['stop', 'read']);
  });

  it('lets twice as much in where nothing moves and an answer is due, up to the limit and past it', () => {
    const { backlog, turns, client, clock } = start();
    client.owesAnswer = true;
    backlog.add(2 * MIB);
    clock.advance(500);
    expect(turns).toEqual(['stop', 'read']);
    backlog.add(2 * MIB);
    expect(turns).toEqual(['stop', 'read']);
    backlog.add(12 * MIB);
    expect(turns).toEqual(['stop', 'read', 'stop']);
    expect(backlog.isFull).toBe(true);
    clock.advance(500);
    expect(turns).toEqual(['stop', 'read', 'stop', 'read']);
  });

  it('lets nothing in while somebody takes what waits, though an answer is due', () => {
    const { backlog, turns, client, clock } = start();
    client.owesAnswer = true;
    backlog.add(2 * MIB);
    for (let i = 0; i < 100; i++) {
      backlog.moved();
      clock.advance(250);
    }
    expect(turns).toEqual(['stop']);
  });

  it('lets more in where nothing moves for half a minute, but never above the limit', () => {
    const { backlog, turns, clock } = start();
    backlog.add(2 * MIB);
    clock.advance(29_000);
    expect(turns).toEqual(['stop']);
    clock.advance(2_000);
    expect(turns).toEqual(['stop', 'read']);
    backlog.add(14 * MIB);
    clock.advance(3_600_000);
    expect(turns).toEqual(['stop', 'read', 'stop']);
  });

  it('holds nothing when its client has gone', () => {
    const { backlog, clock, turns } = start();
    backlog.add(2 * MIB);
    expect(clock.timerCount).toBe(1);
    backlog.end();
    backlog.add(2 * MIB);
    expect(clock.timerCount).toBe(0);
    // Its connection is read to the end.
    expect(turns).toEqual(['stop', 'read']);
  });
});

describe('the gate of an event', () => {
  function gateOf({ backlog }: ReturnType<typeof start>) {
    const passed: unknown[] = [];
    const refused: unknown[] = [];
    const gate = new EventGate({
      backlog,
      pass: (event) => void passed.push(event[1]),
      refuse: (event) => void refused.push(event[1]),
    });
    let overflows = 0;
    const holder = { valveOverflowed: () => void overflows++ };
    const take = (value: unknown) => gate.take(['row', value]);
    return { gate, holder, passed, refused, take, overflows: () => overflows };
  }

  it('keeps what comes while it is held, in order', () => {
    const { gate, holder, passed, take } = gateOf(start());
    expect(take(1)).toBe(false);
    gate.hold(holder);
    expect([take(2), take(3)]).toEqual([true, true]);
    gate.release(holder);
    expect(passed).toEqual([2, 3]);
    expect(take(4)).toBe(false);
  });

  it('passes what is read again because nothing waits any more behind what waited', () => {
    const stage = start();
    const { gate, holder, passed, take } = gateOf(stage);
    stage.client.holdReading = (isHeld) => {
      if (!isHeld && !take('behind')) passed.push('behind');
    };
    gate.hold(holder);
    take('x'.repeat(2 * MIB));
    gate.release(holder);
    expect(passed.map((value) => String(value).length)).toEqual([2 * MIB, 6]);
  });

  it('is closed again by the one who gets what it kept', () => {
    const stage = start();
    const passed: unknown[] = [];
    const holder = { valveOverflowed() {} };
    const gate: EventGate = new EventGate({
      backlog: stage.backlog,
      pass(event) {
        passed.push(event[1]);
        gate.hold(holder);
      },
      refuse() {},
    });
    gate.hold(holder);
    for (const value of [1, 2, 3]) gate.take(['row', value]);
    gate.release(holder);
    expect(passed).toEqual([1]);
    gate.release(holder);
    expect(gate.take(['row', 4])).toBe(true);
    expect(passed).toEqual([1, 2]);
  });

  it('refuses what is too much, and tells who holds it', () => {
    const stage = start();
    const { gate, holder, passed, refused, take, overflows } = gateOf(stage);
    gate.hold(holder);
    take('x'.repeat(16 * MIB));
    take('more');
    expect(refused).toEqual(['more']);
    expect(overflows()).toBe(1);
    gate.release(holder);
    expect(passed).toHaveLength(1);
    expect(stage.backlog.isFull).toBe(false);
  });

  it('passes everything on at the end, held or not, or drops it', () => {
    const ended = gateOf(start());
    ended.gate.hold(ended.holder);
    ended.take(1);
    ended.gate.end();
    expect(ended.passed).toEqual([1]);
    const stage = start();
    const dropped = gateOf(stage);
    dropped.gate.hold(dropped.holder);
    dropped.take('x'.repeat(2 * MIB));
    dropped.gate.drop();
    expect(dropped.passed).toEqual([]);
    expect(stage.turns).toEqual(['stop', 'read']);
  });
});
