import { describe, expect, it } from 'vitest';
import { PeerError } from '../../../../src/base/errors.ts';
import { defaultSessionLimits, parseCount, Session } from '../../../../src/protocol/session/session.ts';

const limits = { ...defaultSessionLimits, windowMs: 1000, bufferBytes: 100, bufferMessages: 5 };
const attached = () => {
  const session = new Session<string>(limits, 0);
  session.attach(0);
  return session;
};
const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof PeerError) return error.code;
    throw error;
  }
  return 'no error';
};

describe('what this side sends', () => {
  it('gets indices in order, attached or not', () => {
    const session = new Session<string>(limits, 0);
    expect([session.send('a', 1), session.nextIndex]).toEqual([true, 1]);
    session.attach(0);
    expect([session.send('b', 1), session.nextIndex]).toEqual([true, 2]);
    session.detach(0);
    expect([session.send('c', 1), session.nextIndex]).toEqual([true, 3]);
    expect(session.messagesFrom(0)).toEqual(['a', 'b', 'c']);
  });

  it('is replayed from the count that the peer presents', () => {
    const session = attached();
    for (const message of ['a', 'b', 'c']) session.send(message, 1);
    session.detach(0);
    expect(session.attach(1)).toEqual(['b', 'c']);
    expect(session.attach(3)).toEqual([]);
    expect(session.unconfirmedBytes).toBe(0);
  });

  it('is let go when the peer confirms it, and an overtaken count changes nothing', () => {
    const session = attached();
    for (const message of ['a', 'b', 'c']) session.send(message, 10);
    session.receiveCount(2);
    session.receiveCount(1);
    expect([session.confirmed, session.unconfirmedBytes]).toEqual([2, 10]);
    expect(session.attach(2)).toEqual(['c']);
  });

  it('stays right over thousands of confirmations', () => {
    const session = new Session<number>({ ...limits, bufferMessages: 1000, bufferBytes: 1000 }, 0);
    session.attach(0);
    for (let i = 0; i < 5000; i++) {
      expect(session.nextIndex).toBe(i);
      expect(session.send(i, 1)).toBe(true);
      if (i % 7 === 0) session.receiveCount(Math.max(0, i - 90));
    }
    const from = session.confirmed;
    expect(session.attach(from)).toEqual(Array.from({ length: 5000 - from }, (_, i) => from + i));
  });

  it.each([
    ['bytes', [60, 40], 1],
    ['messages', [1, 1, 1, 1, 1], 1],
    ['bytes, by one message alone', [1000], 0],
  ])('is not taken while too many %s are unconfirmed, and is when there is room', (_name, sizes, bytes) => {
    const session = attached();
    for (const [i, size] of sizes.entries()) expect(session.send(`m${i}`, size)).toBe(true);
    expect([session.send('more', bytes), session.nextIndex]).toEqual([false, sizes.length]);
    expect([session.state, session.isHalfFree]).toEqual(['attached', false]);
    session.receiveCount(sizes.length);
    expect([session.send('more', bytes), session.isHalfFree]).toEqual([true, true]);
    expect(session.messagesFrom(sizes.length)).toEqual(['more']);
  });

  it.each([
    ['messages', [1, 1, 1, 1, 1], [false, false, false, true, true, true]],
    ['bytes', [30, 20, 25, 25], [false, false, true, true, true]],
  ])('has room for much once half of the %s are confirmed', (_name, sizes, expected) => {
    const session = attached();
    for (const size of sizes) session.send('', size);
    const isHalfFree = [...sizes, 0].map((_, count) => {
      session.receiveCount(count);
      return session.isHalfFree;
    });
    expect(isHalfFree).toEqual(expected);
  });

  it.each([
    ['more messages than were sent', 4],
    ['no whole number', 2.5],
    ['not a number', Number.NaN],
    ['a number beyond all', Number.POSITIVE_INFINITY],
  ])('cannot be confirmed by %s', (_name, count) => {
    const session = attached();
    for (const message of ['a', 'b', 'c']) session.send(message, 1);
    expect(codeOf(() => session.receiveCount(count))).toBe('SESSION_ERR_CONFIRMED_TOO_MUCH');
    expect(session.attach(0)).toEqual(['a', 'b', 'c']);
  });

  it('is given in portions of at least one message', () => {
    const session = attached();
    for (const message of ['a', 'b', 'c', 'd']) session.send(message, 10);
    expect(session.messagesFrom(1)).toEqual(['b', 'c', 'd']);
    expect(session.messagesWithin(1, 15)).toEqual(['b', 'c']);
    expect(session.messagesWithin(1, 1)).toEqual(['b']);
    expect(session.messagesWithin(4, 1)).toEqual([]);
    session.receiveCount(2);
    expect(session.messagesWithin(2, 11)).toEqual(['c', 'd']);
    expect(codeOf(() => session.messagesFrom(1))).toBe('SESSION_ERR_COUNT_WENT_BACK');
  });

  it('cannot be asked for again once it was confirmed', () => {
    const session = attached();
    session.send('a', 1);
    session.receiveCount(1);
    expect(codeOf(() => session.attach(0))).toBe('SESSION_ERR_COUNT_WENT_BACK');
  });
});

describe('what the peer sends', () => {
  it('is delivered once however often it comes', () => {
    const session = attached();
    expect([0, 1, 1, 0, 2].map((index) => session.receive(index, 1))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
    expect(session.received).toBe(3);
  });

  it('may not leave one out', () => {
    const session = attached();
    expect(codeOf(() => session.receive(1, 1))).toBe('SESSION_ERR_GAP');
    expect(session.received).toBe(0);
  });

  it.each([
    ['after 32 messages', 32, 1],
    ['after 64 KiB', 4, 16 * 1024],
  ])('is confirmed at once %s', (_name, messages, bytes) => {
    const session = attached();
    for (let i = 0; i < messages; i++) {
      expect(session.isCountDue).toBe(false);
      session.receive(i, bytes);
    }
    expect(session.isCountDue).toBe(true);
    expect(session.tellCount()).toBe(messages);
    expect([session.isCountDue, session.isCountNew]).toEqual([false, false]);
  });
});

describe('a count that was told', () => {
  it('is new again over another connection: the one before may have lost it', () => {
    const session = attached();
    session.receive(0, 1);
    session.tellCount();
    expect(session.isCountNew).toBe(false);
    session.attach(0);
    expect(session.isCountNew).toBe(true);
  });
});

describe('the end', () => {
  it('comes when no connection came within the window, with what is unconfirmed', () => {
    const session = attached();
    session.send('a', 1);
    session.send('b', 1);
    session.receiveCount(1);
    expect(session.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
    session.detach(5000);
    expect(session.nextDeadlineMs).toBe(6000);
    expect(session.expire(5999)).toBeNull();
    expect(session.expire(6000)).toEqual({ end: 'expired', unconfirmed: ['b'] });
    expect(session.state).toBe('over');
    expect(session.send('c', 1)).toBe(false);
    expect(session.receive(0, 1)).toBe(false);
  });

  it('counts the window anew after each connection', () => {
    const session = attached();
    session.detach(0);
    session.attach(0);
    session.detach(900);
    expect(session.expire(1000)).toBeNull();
    expect(session.nextDeadlineMs).toBe(1900);
  });

  it('says why, where the reason is given', () => {
    expect(attached().close('protocol')).toEqual({ end: 'protocol', unconfirmed: [] });
  });

  it('is told once when closed on purpose', () => {
    const session = attached();
    session.send('a', 1);
    expect(session.close()).toEqual({ end: 'closed', unconfirmed: ['a'] });
    expect(session.close()).toBeNull();
  });
});

describe('a count in text', () => {
  it.each([
    ['0', 0],
    ['7', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is read', (text, count) => {
    expect(parseCount(text)).toBe(count);
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '-1',
    '-0',
    '+1',
    '01',
    '1.0',
    '1e3',
    '0x1',
    'NaN',
    'Infinity',
    '9007199254740992',
    '1\n',
  ])('%j is none', (text) => {
    expect(codeOf(() => parseCount(text))).toBe('SESSION_ERR_INVALID_COUNT');
  });
});
