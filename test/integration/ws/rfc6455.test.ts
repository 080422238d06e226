/**
 * What: rules of RFC 6455 on a server's handshake that only show with a whole server, HTTP included.
 * Must not know: how requests are read.
 */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { WebSocketServer } from '../../../src/entry/ws.ts';
import { close, listen, tautline } from './peers.ts';
import { upgradeRequest } from './raw-peer.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** The lines of the answer to a request. */
async function ask(
  options: ConstructorParameters<typeof WebSocketServer>[0],
  request: string,
): Promise<string[]> {
  const server = await listen(tautline, options);
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  cleanups.push(() => {
    socket.destroy();
    return close(server);
  });
  socket.write(request);
  let answer = '';
  while (!answer.includes('\r\n\r\n')) {
    answer += String((await once(socket, 'data'))[0]);
  }
  return answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n');
}

describe('a server', () => {
  test('RFC 6455 4.2.1 (2): refuses a request without Host', async () => {
    const [line] = await ask({}, upgradeRequest().replace('Host: a\r\n', ''));
    expect(line).toBe('HTTP/1.1 400 Bad Request');
  });

  test.each([
    { chosen: 'the default', handleProtocols: null, line: 'Sec-WebSocket-Protocol: a' },
    { chosen: 'the second', handleProtocols: () => 'b', line: 'Sec-WebSocket-Protocol: b' },
    { chosen: 'none', handleProtocols: () => false as const, line: undefined },
  ])(
    'RFC 6455 4.2.2 (5): answers with one of the subprotocols, or without the header: $chosen',
    async ({ handleProtocols, line }) => {
      const lines = await ask({ handleProtocols }, upgradeRequest('Sec-WebSocket-Protocol: a, b'));
      expect(lines[0]).toBe('HTTP/1.1 101 Switching Protocols');
      expect(lines.find((other) => other.startsWith('Sec-WebSocket-Protocol'))).toBe(line);
    },
  );

  test('RFC 6455 11.3.2, 11.3.4: reads extensions and subprotocols out of several lines', async () => {
    let offered: string[] = [];
    const lines = await ask(
      {
        perMessageDeflate: true,
        handleProtocols: (protocols) => {
          offered = [...protocols];
          return 'c';
        },
      },
      upgradeRequest(
        'Sec-WebSocket-Protocol: a, b',
        'Sec-WebSocket-Extensions: foo; bar',
        'Sec-WebSocket-Protocol: c',
        'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover',
      ),
    );
    expect(offered).toEqual(['a', 'b', 'c']);
    expect(lines).toContain('Sec-WebSocket-Protocol: c');
    expect(lines).toContain('Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover');
  });
});
