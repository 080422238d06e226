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
