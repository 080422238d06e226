/**
 * What: opens the connections of the standard's interfaces in Node, over `http.request` and `https.request`.
 * Must not know: who asks.
 */
import { connectWebSocket } from '../transport/websocket/node-connect.ts';
import type { Connector } from './connector.ts';
import { toHeaders } from './init.ts';

/** As in Chromium. */
const CLOSE_TIMEOUT_MS = 10_000;

export const connectInNode: Connector = (address, protocols, init, callbacks) =>
  connectWebSocket(
    address,
    {
      ...init.request,
      // Fetch, cache mode `no-store`: nobody between may answer from what was kept.
      headers: { Pragma: 'no-cache', 'Cache-Control': 'no-cache', ...toHeaders(init.headers) },
      protocols,
      // Fetch, redirect mode `error`.
      followRedirects: false,
      handshakeTimeoutMs: init.handshakeTimeoutMs,
      closeTimeoutMs: init.closeTimeoutMs ?? CLOSE_TIMEOUT_MS,
      heartbeat: init.heartbeat ?? null,
    },
    {
      onOpen(connection, response) {
        callbacks.opened(connection, response.headers['sec-websocket-extensions'] ?? '');
      },
      onError: callbacks.failed,
    },
  );
