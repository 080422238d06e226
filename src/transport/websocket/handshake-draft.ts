/**
 * What: DRAFT until protocol/websocket has the handshake.
 * Must not know: -
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isToken } from '../../base/token.ts';
import type { DeflateChoice, DeflateSettings } from './node-settings.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}
export function parseProtocols(text: string): Set<string> | null {
  const out = new Set<string>();
  for (const part of text.split(',')) {
    const name = part.trim();
    if (!isToken(name) || out.has(name)) return null;
    out.add(name);
  }
  return out;
}
export interface ClientHandshake {
  headers: Record<string, string>;
  check(response: IncomingMessage): Error | { subprotocol: string; deflate: DeflateChoice | null };
}
export function createClientHandshake(options: {
  protocols?: readonly string[];
  origin?: string;
  protocolVersion?: number;
  deflate?: DeflateSettings | null;
}): ClientHandshake {
  const key = randomBytes(16).toString('base64');
  const version = options.protocolVersion ?? 13;
  const headers: Record<string, string> = {
    'Sec-WebSocket-Version': String(version),
    'Sec-WebSocket-Key': key,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
  };
  if (options.deflate) headers['Sec-WebSocket-Extensions'] = 'permessage-deflate; client_max_window_bits';
  if (options.protocols?.length) headers['Sec-WebSocket-Protocol'] = options.protocols.join(',');
  if (options.origin) headers[version < 13 ? 'Sec-WebSocket-Origin' : 'Origin'] = options.origin;
  return {
    headers,
    check(response) {
      if (response.headers.upgrade?.toLowerCase() !== 'websocket') return new Error('Invalid Upgrade header');
      if (response.headers['sec-websocket-accept'] !== acceptOf(key))
        return new Error('Invalid Sec-WebSocket-Accept header');
      const ext = response.headers['sec-websocket-extensions'];
      return {
        subprotocol: (response.headers['sec-websocket-protocol'] as string) ?? '',
        deflate: ext
          ? {
              agreement: {
                ownWindowBits: 15,
                peerWindowBits: 15,
                ownContextTakeover: true,
                peerContextTakeover: true,
              },
              settings: options.deflate!,
            }
          : null,
      };
    },
  };
}
