import { describe, expect, it } from 'vitest';
import { resolveAddress } from '../../../src/client/address.ts';

describe('resolveAddress', () => {
  const page = 'https://page.example:8080/app/index.html';
  it.each([
    ['', page, 'https://page.example:8080/', 'https://page.example:8080', '/'],
    ['/chat', page, 'https://page.example:8080/chat', 'https://page.example:8080', '/chat'],
    ['/chat?a=1', page, 'https://page.example:8080/chat?a=1', 'https://page.example:8080', '/chat'],
    ['//other/chat?x=1', page, 'https://other/chat?x=1', 'https://other', '/chat'],
    ['other:99', page, 'https://other:99/', 'https://other:99', '/'],
    ['http://h', page, 'http://h/', 'http://h', '/'],
    ['http://h:80/a', page, 'http://h/a', 'http://h', '/a'],
    ['http://h/über', page, 'http://h/%C3%BCber', 'http://h', '/über'],
    ['http://h/100%', page, 'http://h/100%', 'http://h', '/100%'],
    ['ws://h:5/a', undefined, 'ws://h:5/a', 'ws://h:5', '/a'],
    ['wss://h', undefined, 'wss://h/', 'wss://h', '/'],
    ['h/a', undefined, 'https://h/a', 'https://h', '/a'],
    ['localhost:3000/a', undefined, 'https://localhost:3000/a', 'https://localhost:3000', '/a'],
    ['http://[::1]:3000/x', undefined, 'http://[::1]:3000/x', 'http://[::1]:3000', '/x'],
  ])('%s on page %s', (uri, pageUrl, source, id, namespace) => {
    expect(resolveAddress(uri, '/socket.io', pageUrl)).toEqual({ source, id: `${id}/socket.io`, namespace });
  });

  it('refuses what is no address', () => {
    expect(() => resolveAddress('http://a b', '/socket.io')).toThrow(TypeError);
  });
});
