import { describe, expect, it } from 'vitest';
import { resolveAddress } from '../../../src/client/address.ts';

describe('resolveAddress', () => {
  const page = { protocol: 'https:', hostname: 'page.example', port: '8080' };
  it.each([
    [undefined, page, 'https://page.example:8080/', 'https://page.example:8080', '/'],
    ['', page, 'https://page.example:8080/', 'https://page.example:8080', '/'],
    ['/chat', page, 'https://page.example:8080/chat', 'https://page.example:8080', '/chat'],
    ['//other/chat?x=1', page, 'https://other/chat?x=1', 'https://other:443', '/chat'],
    ['other:99', page, 'https://other:99', 'https://other:99', '/'],
    ['http://h', page, 'http://h', 'http://h:80', '/'],
    ['ws://h:5/a', undefined, 'ws://h:5/a', 'ws://h:5', '/a'],
    ['wss://h', undefined, 'wss://h', 'wss://h:443', '/'],
    ['h/a', undefined, 'https://h/a', 'https://h:443', '/a'],
    ['http://[::1]:3000/x', undefined, 'http://[::1]:3000/x', 'http://[::1]:3000', '/x'],
    [undefined, undefined, 'http://localhost/', 'http://localhost:80', '/'],
  ])('%s on page %o', (uri, location, source, id, namespace) => {
    expect(resolveAddress(uri, '/socket.io', location)).toEqual({ source, id: `${id}/socket.io`, namespace });
  });
});
