import { describe, expect, it } from 'vitest';
import { preferredEncoding } from '../../../../src/transport/long-polling/node-compression.ts';

describe('the encoding of an answer', () => {
  it.each([
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['br', 'br'],
    ['gzip, deflate, br', 'gzip'],
    ['br, deflate', 'deflate'],
    ['*', 'gzip'],
    ['gzip;q=0, *', 'deflate'],
    ['deflate;q=1, gzip;q=0.5', 'deflate'],
    ['GZIP ; Q=0.3', 'gzip'],
    ['gzip;q=0', null],
    ['gzip;q=x', null],
    ['gzip;q=-1', null],
    ['gzip;q=2', null],
    ['identity', null],
    ['', null],
    [',;,', null],
  ])('for %j is %j', (header, name) => {
    expect(preferredEncoding(header)).toBe(name);
  });

  it('is found in linear time in a long header', () => {
    expect(preferredEncoding(`${'x;q=1,'.repeat(2000)}gzip`)).toBe('gzip');
  });
});
