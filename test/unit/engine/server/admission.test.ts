import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../src/base/errors.ts';
import {
  Admission,
  type LimitOptions,
  networkOf,
  resolveLimits,
} from '../../../../src/engine/server/admission.ts';

const from = (remoteAddress: string | undefined) => ({ socket: { remoteAddress } }) as IncomingMessage;
const admission = (limits: LimitOptions) => new Admission(resolveLimits(limits));

describe('the address that is counted', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('limits', () => {
  it.each([
    { sessions: -1 },
    { handshakes: Number.NaN },
    { sessions: '3' },
    { slowReader: 'wait' },
    { addressOf: 1 },
  ])('%j are refused at once', (limits) => {
    expect(() => resolveLimits(limits as unknown as LimitOptions)).toThrow(UsageError);
  });

  it('of sessions hold in all, and end with the sessions', () => {
    const door = admission({ sessions: 2 });
    const [a, b] = [{}, {}];
    door.enter(a, from('1'));
    expect(door.sessionRefusal(from('2'))).toBeNull();
    door.enter(b, from('2'));
    expect(door.sessionRefusal(from('3'))).toMatchObject({
      status: 503,
      context: { name: 'LIMIT_REACHED', limit: 'sessions', value: 2 },
    });
    door.leave(a);
    door.leave(a);
    expect(door.sessionRefusal(from('3'))).toBeNull();
    door.enter({}, from('3'));
    expect(door.sessionRefusal(from('3'))).not.toBeNull();
  });

  it('of sessions hold for each address', () => {
    const door = admission({ sessionsPerAddress: 1 });
    const a = {};
    door.enter(a, from('1'));
    expect(door.sessionRefusal(from('1'))).toMatchObject({
      status: 429,
      context: { limit: 'sessionsPerAddress' },
    });
    expect(door.sessionRefusal(from('2'))).toBeNull();
    expect(door.sessionRefusal(from(undefined))).toBeNull();
    door.leave(a);
    expect(door.sessionRefusal(from('1'))).toBeNull();
  });

  it('of handshakes hold until they are over', () => {
    const door = admission({ handshakes: 2, handshakesPerAddress: 1 });
    const first = door.begin(from('1'));
    expect(door.begin(from('1'))).toMatchObject({ refusal: { context: { limit: 'handshakesPerAddress' } } });
    const second = door.begin(from('2'));
    expect(door.begin(from('3'))).toMatchObject({
      refusal: { status: 503, context: { limit: 'handshakes' } },
    });
    for (const each of [first, second, second]) (each as { left: () => void }).left();
    expect(door.begin(from('1'))).toHaveProperty('left');
  });

  it('may count what a program says is the address', () => {
    const addressOf = ({ headers }: IncomingMessage) => String(headers['x-forwarded-for']);
    const door = admission({ sessionsPerAddress: 1, addressOf });
    const request = (address: string) =>
      ({ headers: { 'x-forwarded-for': address } }) as unknown as IncomingMessage;
    door.enter({}, request('a'));
    expect([door.sessionRefusal(request('a')), door.sessionRefusal(request('b'))]).toEqual([
      expect.anything(),
      null,
    ]);
  });
});
