/**
 * What: opens the connections of the standard's interfaces in Node, over `http.request`, `https.request` or an HTTP/2 session.
 * Must not know: who asks.
 */
import { connectWebSocket } from '../transport/websocket/node-connect.ts';
import { toHeaders } from '../wire/http/header-init.ts';
import type { Connector } from './connector.ts';

/** As in Chromium. */
const CLOSE_TIMEOUT_MS = 10_000;

/** `permessage-deflate; client_max_window_bits`: what browsers offer, and the example of the standard. */
const offer = { clientMaxWindowBits: true };

export const connectInNode: Connector = (address, protocols, init, callbacks) =>
  connectWebSocket(
    address,
    {
      ...init.request,
      headers: {
        // Fetch, cache mode `no-store`: nobody on the way may answer from what was kept.
        Pragma: 'no-cache',
        'Cache-Control': 'no-cache',
        ...init.request?.headers,
        ...toHeaders(init.headers),
      },
      protocols,
      http2Session: init.http2Session,
      deflate: init.perMessageDeflate === false ? null : offer,
      limits: { payloadLimitBytes: init.payloadLimitBytes },
      // Each message is copied into memory of the program's own anyway.
      ownedUpToBytes: 0,
      // Fetch, redirect mode `error`.
      followRedirects: false,
      handshakeTimeoutMs: init.handshakeTimeoutMs,
      closeTimeoutMs: init.closeTimeoutMs ?? CLOSE_TIMEOUT_MS,
      heartbeat: init.heartbeat,
    },
    {
      onOpen(connection, response) {
        callbacks.opened(connection, response.headers['sec-websocket-extensions'] ?? '');
      },
      onError: callbacks.failed,
    },
  );
