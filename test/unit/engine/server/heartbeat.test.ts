import { describe, expect, it } from 'vitest';
import { type Beating, type BeatQueue, Heartbeat } from '../../../../src/engine/server/heartbeat.ts';
import { FakeClock } from './fake-clock.ts';

class Peer implements Beating {
  beatDueMs = 0;
  beatQueue: BeatQueue | null = null;
  beatBefore: Beating | null = null;
  beatAfter: Beating | null = null;
  readonly log: string[];
  readonly name: string;
  onPing: () => void = () => {};

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }

  beatPing(): void {
    this.log.push(`ping ${this.name}`);
    this.onPing();
  }

  beatMissed(): void {
    this.log.push(`missed ${this.name}`);
  }
}

function scene() {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat(clock, 1000, 500);
  const log: string[] = [];
  return { clock, heartbeat, log, peer: (name: string) => new Peer(name, log) };
}

describe('the heartbeat', () => {
  it('pings after the interval and misses whoever does not answer within the timeout', () => {
    const { clock, heartbeat, log, peer } = scene();
    heartbeat.alive(peer('a'));
    clock.advance(999);
    expect(log).toEqual([]);
    clock.advance(1);
    expect(log).toEqual(['ping a']);
    clock.advance(499);
    expect(log).toEqual(['ping a']);
    clock.advance(1);
    expect(log).toEqual(['ping a', 'missed a']);
    clock.advance(10_000);
    expect(log).toHaveLength(2);
    expect(clock.timerCount).toBe(0);
  });

  it('goes on with whoever answers', () => {
    const { clock, heartbeat, log, peer } = scene();
    const a = peer('a');
    a.onPing = () => heartbeat.alive(a);
    heartbeat.alive(a);
    clock.advance(10_000);
    expect(log).toEqual(Array.from({ length: 10 }, () => 'ping a'));
  });

  it('keeps many apart on one timer', () => {
    const { clock, heartbeat, log, peer } = scene();
    const a = peer('a');
    const b = peer('b');
    heartbeat.alive(a);
    clock.advance(300);
    heartbeat.alive(b);
    clock.advance(300);
    heartbeat.alive(peer('c'));
    expect(clock.timerCount).toBe(1);
    clock.advance(400);
    expect(log).toEqual(['ping a']);
    clock.advance(300);
    heartbeat.alive(a);
    clock.advance(700);
    expect(log).toEqual(['ping a', 'ping b', 'ping c', 'missed b']);
  });

  it('forgets whoever is stopped, in either wait, at either end or in the middle', () => {
    const { clock, heartbeat, log, peer } = scene();
    const all = ['a', 'b', 'c', 'd', 'e'].map(peer);
    for (const one of all) heartbeat.alive(one);
    heartbeat.stop(all[0]!);
    heartbeat.stop(all[2]!);
    heartbeat.stop(all[2]!);
    clock.advance(1000);
    expect(log).toEqual(['ping b', 'ping d', 'ping e']);
    heartbeat.stop(all[4]!);
    clock.advance(500);
    expect(log.slice(3)).toEqual(['missed b', 'missed d']);
    expect(clock.timerCount).toBe(0);
  });

  it('holds no timer when nobody is left', () => {
    const { clock, heartbeat, peer } = scene();
    const a = peer('a');
    heartbeat.alive(a);
    expect(clock.timerCount).toBe(1);
    heartbeat.stop(a);
    expect(clock.timerCount).toBe(0);
  });

  it('wakes rarely for those who are due within a moment of each other', () => {
    const { clock, heartbeat, peer } = scene();
    let wakes = 0;
    const setTimer = clock.setTimer.bind(clock);
    clock.setTimer = (delayMs, callback) =>
      setTimer(delayMs, () => {
        wakes++;
        callback();
      });
    for (let i = 0; i < 100; i++) {
      heartbeat.alive(peer(String(i)));
      clock.advance(1);
    }
    clock.advance(1100);
    expect(wakes).toBeLessThan(25);
  });

  it('goes on beating for the others when a listener throws', () => {
    const { clock, heartbeat, log, peer } = scene();
    const a = peer('a');
    a.onPing = () => {
      throw new Error('of the application');
    };
    heartbeat.alive(a);
    heartbeat.alive(peer('b'));
    expect(() => clock.advance(1000)).toThrow('of the application');
    clock.advance(1000);
    expect(log).toContain('ping b');
    expect(log).toContain('missed a');
  });
});
