import { describe, expect, it } from 'vitest';
import { parseQuery, resolveEndpoint } from '../../../../src/engine/client/endpoint.ts';

describe('resolveEndpoint', () => {
  const page = 'https://page.example:8080/app/index.html?page=1#top';
  it.each([
    ['http://localhost', {}, undefined, 'http://localhost/engine.io/'],
    ['http://localhost:80', {}, undefined, 'http://localhost/engine.io/'],
    ['https://h:443/nsp', {}, undefined, 'https://h/engine.io/'],
    ['https://h/nsp?x=1#y', {}, undefined, 'https://h/engine.io/?x=1'],
    ['ws://h:81', {}, undefined, 'http://h:81/engine.io/'],
    ['ws://h:80', {}, undefined, 'http://h/engine.io/'],
    ['wss://h', {}, undefined, 'https://h/engine.io/'],
    ['https://h:80', {}, undefined, 'https://h:80/engine.io/'],
    ['http://[::1]:3000/x', {}, undefined, 'http://[::1]:3000/engine.io/'],
    ['http://user:secret@h/', {}, undefined, 'http://h/engine.io/'],
    ['http://h', { path: '/socket.io' }, undefined, 'http://h/socket.io/'],
    ['http://h', { path: '/socket.io/' }, undefined, 'http://h/socket.io/'],
    ['http://h', { path: '/x', addTrailingSlash: false }, undefined, 'http://h/x'],
    ['http://h:5', { port: 9, secure: true }, undefined, 'http://h:5/engine.io/'],
    [undefined, {}, undefined, 'http://localhost/engine.io/'],
    [undefined, { hostname: 'h', port: 3000 }, undefined, 'http://h:3000/engine.io/'],
    [undefined, { hostname: 'h', secure: true }, undefined, 'https://h/engine.io/'],
    [undefined, { host: 'h:3000' }, undefined, 'http://h:3000/engine.io/'],
    [undefined, {}, page, 'https://page.example:8080/engine.io/'],
    [undefined, { secure: false }, page, 'http://page.example:8080/engine.io/'],
    [undefined, { hostname: 'other' }, page, 'https://other/engine.io/'],
    ['http://other', {}, page, 'http://other/engine.io/'],
    [undefined, { port: '99' }, page, 'https://page.example:99/engine.io/'],
  ])('%s with %o on page %s', (uri, options, pageUrl, expected) => {
    expect(resolveEndpoint(uri, options, pageUrl).href).toBe(expected);
  });

  it('refuses what is no address', () => {
    expect(() => resolveEndpoint('http://a b', {})).toThrow(TypeError);
  });
});

describe('parseQuery', () => {
  it.each([
    ['a=1&b=%20x', { a: '1', b: ' x' }],
    ['?a=1', { a: '1' }],
    ['', {}],
    [undefined, {}],
    [{ a: 1 }, { a: '1' }],
  ])('%o', (query, expected) => {
    expect(parseQuery(query)).toEqual(expected);
  });

  it('keeps a parameter named __proto__ a parameter', () => {
    expect(Object.entries(parseQuery('__proto__=x'))).toEqual([['__proto__', 'x']]);
    expect(Object.prototype).not.toHaveProperty('x');
  });
});
