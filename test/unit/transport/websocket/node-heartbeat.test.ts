/**
 * What: when the heartbeat asks, when it gives up, and that its timer runs only while somebody is watched.
 * Must not know: connections.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Heart, Heartbeat, heartbeatFor } from '../../../../src/transport/websocket/node-heartbeat.ts';

class Patient implements Heart {
  silentTicks = 99;
  asked: number[] = [];
  lost: number[] = [];
  askPeer(): void {
    this.asked.push(Date.now());
  }
  losePeer(): void {
    this.lost.push(Date.now());
  }
}

beforeEach(() => vi.useFakeTimers({ now: 0 }));
afterEach(() => vi.useRealTimers());

test('a silent peer is asked after the interval and lost after the timeout', () => {
  const heartbeat = new Heartbeat({ intervalMs: 1000, timeoutMs: 400 });
  const patient = new Patient();
  heartbeat.add(patient);
  vi.advanceTimersByTime(900);
  expect([patient.asked, patient.lost]).toEqual([[], []]);
  vi.advanceTimersByTime(400);
  expect([patient.asked, patient.lost]).toEqual([[1000], []]);
  vi.advanceTimersByTime(100);
  expect(patient.lost).toEqual([1400]);
});

test('a peer that speaks is never asked', () => {
  const heartbeat = new Heartbeat({ intervalMs: 1000, timeoutMs: 1000 });
  const patient = new Patient();
  heartbeat.add(patient);
  for (let i = 0; i < 50; i++) {
    vi.advanceTimersByTime(600);
    patient.silentTicks = 0;
  }
  expect([patient.asked, patient.lost]).toEqual([[], []]);
});

test('a peer that answers is asked again, an interval later', () => {
  const heartbeat = new Heartbeat({ intervalMs: 1000, timeoutMs: 1000 });
  const patient = new Patient();
  patient.askPeer = () => {
    patient.asked.push(Date.now());
    patient.silentTicks = 0;
  };
  heartbeat.add(patient);
  vi.advanceTimersByTime(3500);
  expect([patient.asked, patient.lost]).toEqual([[1000, 2000, 3000], []]);
});

test('the timer stops with the last one who is watched', () => {
  const heartbeat = new Heartbeat({ intervalMs: 1000, timeoutMs: 1000 });
  const patients = [new Patient(), new Patient()] as const;
  for (const patient of patients) heartbeat.add(patient);
  expect(vi.getTimerCount()).toBe(1);
  heartbeat.remove(patients[0]);
  expect(vi.getTimerCount()).toBe(1);
  heartbeat.remove(patients[1]);
  heartbeat.remove(patients[1]);
  expect(vi.getTimerCount()).toBe(0);
  heartbeat.add(patients[0]);
  expect(vi.getTimerCount()).toBe(1);
});

test('equal settings share a heartbeat, others do not', () => {
  const one = heartbeatFor({ intervalMs: 1, timeoutMs: 2 });
  expect(heartbeatFor({ intervalMs: 1, timeoutMs: 2 })).toBe(one);
  expect(heartbeatFor({ intervalMs: 2, timeoutMs: 1 })).not.toBe(one);
});
