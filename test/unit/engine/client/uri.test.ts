import { describe, expect, it } from 'vitest';
import { formatBase, parseQuery, splitUri } from '../../../../src/engine/client/uri.ts';
import { scriptedPlatform } from './scripted.ts';

describe('splitUri', () => {
  it.each([
    ['http://localhost', ['http', 'localhost', '', '', '']],
    ['https://example.com:8443/chat?a=1&b=2#top', ['https', 'example.com', '8443', '/chat', 'a=1&b=2']],
    ['wss://user:secret@example.com/', ['wss', 'example.com', '', '/', '']],
    ['http://[::1]:3000/x', ['http', '[::1]', '3000', '/x', '']],
    ['http://[2001:db8::7]', ['http', '[2001:db8::7]', '', '', '']],
    ['HTTP://Example.com', ['http', 'Example.com', '', '', '']],
    ['localhost:3000', ['', 'localhost', '3000', '', '']],
    ['example.com/a?b', ['', 'example.com', '', '/a', 'b']],
    ['/path', ['', '', '', '/path', '']],
    ['', ['', '', '', '', '']],
    ['http://h/über?q=ä', ['http', 'h', '', '/über', 'q=ä']],
  ])('%s', (uri, [protocol, hostname, port, path, query]) => {
    expect(splitUri(uri)).toEqual({ protocol, hostname, port, path, query });
  });

  it('takes time linear in the length of what it is given', () => {
    const text = `http://${':'.repeat(100_000)}@${'['.repeat(100_000)}`;
    expect(splitUri(text).protocol).toBe('http');
  });
});

describe('formatBase', () => {
  const page = { protocol: 'https:', hostname: 'page.example', port: '8080' };
  it.each([
    ['http://localhost', {}, undefined, 'http://localhost/engine.io/?'],
    ['http://localhost:80', {}, undefined, 'http://localhost/engine.io/?'],
    ['https://h:443/nsp?x=1', {}, undefined, 'https://h/engine.io/?'],
    ['ws://h:81', {}, undefined, 'http://h:81/engine.io/?'],
    ['wss://h', {}, undefined, 'https://h/engine.io/?'],
    ['https://h:80', {}, undefined, 'https://h:80/engine.io/?'],
    ['http://h', { path: '/socket.io' }, undefined, 'http://h/socket.io/?'],
    ['http://h', { path: '/socket.io/' }, undefined, 'http://h/socket.io/?'],
    ['http://h', { path: '/x', addTrailingSlash: false }, undefined, 'http://h/x?'],
    [undefined, {}, undefined, 'http://localhost/engine.io/?'],
    [undefined, { hostname: 'h', port: 3000 }, undefined, 'http://h:3000/engine.io/?'],
    [undefined, { hostname: 'h', secure: true }, undefined, 'https://h/engine.io/?'],
    [undefined, { host: 'h:3000' }, undefined, 'http://h:3000/engine.io/?'],
    [undefined, {}, page, 'https://page.example:8080/engine.io/?'],
    [undefined, { hostname: 'other' }, page, 'https://other/engine.io/?'],
    ['http://other', {}, page, 'http://other/engine.io/?'],
    [undefined, { port: '99' }, page, 'https://page.example:99/engine.io/?'],
  ])('%s with %o on page %o', (uri, options, location, expected) => {
    expect(formatBase(uri, options, scriptedPlatform([], location))).toBe(expected);
  });
});

describe('parseQuery', () => {
  it.each([
    ['a=1&b=%20x', { a: '1', b: ' x' }],
    ['', {}],
    [undefined, {}],
    [{ a: 1 }, { a: 1 }],
  ])('%o', (query, expected) => {
    expect(parseQuery(query)).toEqual(expected);
  });

  it('keeps a parameter named __proto__ a parameter', () => {
    expect(Object.entries(parseQuery('__proto__=x'))).toEqual([['__proto__', 'x']]);
    expect(Object.prototype).not.toHaveProperty('x');
  });
});
