import { describe, expect, it } from 'vitest';
import { PeerError } from '../../../../src/base/errors.ts';
import { formatHandshake, parseHandshake } from '../../../../src/wire/engine/handshake.ts';

const full = { sid: 'a', upgrades: ['websocket'], pingInterval: 1, pingTimeout: 2, maxPayload: 3 };

describe('the handshake', () => {
  it('is read as it was written, members that are not known included', () => {
    expect(parseHandshake(formatHandshake(full))).toEqual(full);
    expect(parseHandshake(JSON.stringify({ ...full, tautline: 1 }))).toEqual({ ...full, tautline: 1 });
  });

  it('of an older server has no upgrades and an unknown limit', () => {
    expect(parseHandshake('{"sid":"a","pingInterval":1,"pingTimeout":2}')).toEqual({
      ...full,
      upgrades: [],
      maxPayload: 0,
    });
  });

  it('holds the offer of a session, and says nothing of one that is not made', () => {
    const session = { version: 1, windowMs: 60_000, transports: ['websocket', 'sse'] };
    expect(parseHandshake(formatHandshake({ ...full, session }))).toEqual({ ...full, session });
    expect(formatHandshake({ ...full, session: undefined })).not.toContain('session');
  });

  it.each([
    null,
    1,
    {},
    { version: 2, windowMs: 1, transports: [] },
    { version: 1, windowMs: '1', transports: [] },
    { version: 1, windowMs: 1 },
  ])('with the offer %j has none: the standard is always there', (session) => {
    expect(parseHandshake(JSON.stringify({ ...full, session }))).toEqual(full);
  });

  it.each([
    '',
    '{',
    'null',
    '1',
    '[]',
    '"a"',
    '{}',
    '{"sid":1,"pingInterval":1,"pingTimeout":2}',
    '{"sid":"a"}',
  ])('that reads %j is refused', (text) => {
    expect(() => parseHandshake(text)).toThrow(PeerError);
  });

  it('keeps only names among the upgrades', () => {
    const odd = JSON.stringify({ ...full, upgrades: ['websocket', 1, null] });
    expect(parseHandshake(odd).upgrades).toEqual(['websocket']);
  });
});
