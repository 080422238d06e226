/**
 * What: shows which requests are for the client script, in which compression, and when nothing need be sent.
 * Must not know: sockets, files.
 */
import { describe, expect, it } from 'vitest';
import { chooseEncoding, clientFileOf, matchesEtag } from '../../../src/server/client-files.ts';

describe('the file that a request asks for', () => {
  it.each([
    ['/socket.io/socket.io.js', 'socket.io.js'],
    ['/socket.io/socket.io.js?v=1&x=/a', 'socket.io.js'],
    ['/socket.io/socket.io.min.js.map', 'socket.io.min.js.map'],
    ['/socket.io/socket.io.esm.min.js', 'socket.io.esm.min.js'],
    ['/socket.io/socket.io.msgpack.min.js.map', 'socket.io.msgpack.min.js.map'],
    ['/socket.io/', null],
    ['/socket.io', null],
    ['/socket.io.js', null],
    ['/other/socket.io.js', null],
    ['/socket.io/socket.io.esm.js', null],
    ['/socket.io/../socket.io.js', null],
    ['/socket.io/%2e%2e/package.json', null],
    ['/socket.io/package.json', null],
    ['/socket.io/?EIO=4', null],
    [undefined, null],
  ])('of %j is %j', (url, expected) => {
    expect(clientFileOf(url, '/socket.io')).toBe(expected);
  });
});

describe('the compression', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['identity', null],
    ['deflate', null],
    ['gzip', 'gzip'],
    ['gzip, deflate, br', 'br'],
    ['GZIP;q=0.5', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br; q=0.0, gzip; q=0', null],
    [', , ;', null],
  ])('for %j is %j', (header, expected) => {
    expect(chooseEncoding(header)).toBe(expected);
  });
});

describe('a version that the peer has', () => {
  it.each([
    [undefined, false],
    ['"1"', true],
    ['W/"1"', true],
    ['"0", W/"1"', true],
    ['*', true],
    ['"2"', false],
    ['1', false],
  ])('is told by %j: %j', (header, expected) => {
    expect(matchesEtag(header, '"1"')).toBe(expected);
  });
});
