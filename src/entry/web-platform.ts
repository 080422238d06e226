/**
 * What: what clients need of a browser, put together.
 * Must not know: Node.
 */
import type { EnginePlatform } from '../engine/client/options.ts';
import { webPolling } from '../transport/long-polling/web.ts';
import { createWebClock } from '../transport/platform/web-clock.ts';
import { webTextCodec } from '../transport/platform/web-text-codec.ts';
import { webShortPolling } from '../transport/short-polling/web.ts';
import { webSse } from '../transport/sse/web.ts';
import { webWebSocket } from '../transport/websocket/web.ts';

/** A browser, or what has its globals. */
export const webPlatform: EnginePlatform = {
  codec: webTextCodec,
  chance: Math.random,
  clock: createWebClock,
  transports: [webPolling, webWebSocket, webSse, webShortPolling],
  binaryType: 'arraybuffer',
  present(bytes, binaryType) {
    if (binaryType === 'blob') return new Blob([bytes as Uint8Array<ArrayBuffer>]);
    const { buffer, byteLength } = bytes;
    return byteLength === buffer.byteLength ? buffer : bytes.slice().buffer;
  },
  // Platforms that only look like a browser have none.
  page: globalThis.location?.href,
  memory: () => localStorage,
  watch(event, listener) {
    const isVisible = event === 'visible';
    const name = isVisible ? 'visibilitychange' : event;
    const happened = () => {
      if (!isVisible || !document.hidden) listener();
    };
    globalThis.addEventListener?.(name, happened);
    return () => globalThis.removeEventListener?.(name, happened);
  },
};
