/**
 * What: what clients need of Node, put together.
 * Must not know: browsers.
 */
import { Buffer } from 'node:buffer';
import type { EnginePlatform } from '../engine/client/options.ts';
import { nodePolling } from '../transport/long-polling/node-client.ts';
import { nodeByteCodec } from '../transport/platform/node-byte-codec.ts';
import { createWebClock } from '../transport/platform/web-clock.ts';
import { nodeShortPolling } from '../transport/short-polling/node-client.ts';
import { nodeSse } from '../transport/sse/node-client.ts';
import { nodeWebSocket } from '../transport/websocket/node-client.ts';
import { CookieJar } from '../wire/http/cookie.ts';

/** Node, from version 20 on. */
export const nodePlatform: EnginePlatform = {
  codec: nodeByteCodec,
  chance: Math.random,
  clock: createWebClock,
  transports: [nodePolling, nodeWebSocket, nodeSse, nodeShortPolling],
  binaryType: 'nodebuffer',
  present(bytes, binaryType) {
    if (binaryType === 'blob') return new Blob([bytes as Uint8Array<ArrayBuffer>]);
    const { buffer, byteOffset, byteLength } = bytes;
    if (binaryType === 'arraybuffer') return buffer.slice(byteOffset, byteOffset + byteLength);
    return Buffer.from(buffer, byteOffset, byteLength);
  },
  watch: () => () => {},
  createCookies: () => new CookieJar(Date.now),
};
