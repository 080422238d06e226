import { describe, expect, it } from 'vitest';
import { KeepAlive } from '../../../src/sse/keep-alive.ts';
import { FakeClock } from './fake-clock.ts';

function setUp() {
  const clock = new FakeClock();
  const keepAlive = new KeepAlive(clock);
  const log: string[] = [];
  const member = (name: string) => ({
    quietTicks: 0,
    keepAlive: () => void log.push(`${name} ${clock.nowMs()}`),
  });
  return { clock, keepAlive, log, member };
}

describe('keeping alive', () => {
  it('speaks after an interval of silence, again and again', () => {
    const { clock, keepAlive, log, member } = setUp();
    keepAlive.add(member('a'), 1000);
    clock.advance(999);
    expect(log).toEqual([]);
    clock.advance(2001);
    expect(log).toEqual(['a 1000', 'a 2000', 'a 3000']);
  });

  it('waits an interval from what was written last, give or take a tenth', () => {
    const { clock, keepAlive, log, member } = setUp();
    const a = member('a');
    keepAlive.add(a, 1000);
    clock.advance(950);
    a.quietTicks = 0;
    clock.advance(949);
    expect(log).toEqual([]);
    clock.advance(100);
    expect(log).toEqual(['a 1900']);
  });

  it('has one timer for all streams of an interval, and none when there are no streams', () => {
    const { clock, keepAlive, log, member } = setUp();
    const members = ['a', 'b', 'c'].map(member);
    for (const one of members) keepAlive.add(one, 1000);
    expect(clock.timers).toBe(1);
    const slow = member('slow');
    keepAlive.add(slow, 5000);
    expect(clock.timers).toBe(2);
    keepAlive.remove(members[1]!, 1000);
    clock.advance(1000);
    expect(log).toEqual(['a 1000', 'c 1000']);
    keepAlive.remove(members[0]!, 1000);
    keepAlive.remove(members[2]!, 1000);
    keepAlive.remove(slow, 5000);
    expect(clock.timers).toBe(0);
    keepAlive.add(members[0]!, 1000);
    expect(clock.timers).toBe(1);
  });

  it('lets a stream leave from within its own turn', () => {
    const { clock, keepAlive, log, member } = setUp();
    const a = member('a');
    const leaving = {
      quietTicks: 0,
      keepAlive: () => {
        log.push('left');
        keepAlive.remove(leaving, 1000);
        keepAlive.remove(a, 1000);
      },
    };
    keepAlive.add(leaving, 1000);
    keepAlive.add(a, 1000);
    clock.advance(5000);
    expect(log).toEqual(['left']);
    expect(clock.timers).toBe(0);
  });
});
