/**
 * What: the WebSocket transport in Node, over our own WebSocket client: TLS options, an agent, headers, cookies.
 * Must not know: browsers, sessions, or what messages mean.
 */
import type { IncomingMessage } from 'node:http';
import { explainStatus } from '../../base/http-status.ts';
import { explainSystemError } from '../../base/system-error.ts';
import { TransportError, type TransportErrorCode } from '../../base/transport-error.ts';
import { decodePacket, encodePacket, encodePacketAsText } from '../../wire/engine/codec.ts';
import { decodeText } from '../platform/node-byte-codec.ts';
import {
  type ClientTarget,
  type ClientTransportFactory,
  deafSink,
  type Transport,
  type TransportClosed,
  TransportName,
  transportFactory,
} from '../port.ts';
import { connectWebSocket } from './node-connect.ts';
import type { ConnectionListener, NodeConnection } from './node-connection.ts';

/** What is read of a refusal: enough for a sentence and an error page's title, and no longer than users should wait. */
const REFUSAL_CHARACTERS = 2000;
const REFUSAL_MS = 1000;

function createWebSocketClient(target: ClientTarget): Transport {
  let connection: NodeConnection | undefined;
  let handshake: ReturnType<typeof connectWebSocket> | undefined;
  let isBusy = false;
  let isEnded = false;

  const end = (closed: TransportClosed) => {
    if (isEnded) return;
    isEnded = true;
    transport.sink.transportClosed(closed);
  };

  const fail = (cause: Error, code: TransportErrorCode, status?: number) => {
    const error = new TransportError('websocket error', {
      transport: TransportName.websocket,
      step: connection ? 'read' : 'open',
      code,
      description: status ?? cause,
      cause,
    });
    end({ by: 'failed', error, context: cause });
  };

  const drained = () => {
    // Busy until this has been told, or what was sent last would be taken for unsent.
    if (!isBusy || isEnded || connection?.shouldWait) return;
    isBusy = false;
    transport.sink.transportDrained();
  };

  const listener: ConnectionListener = {
    onMessage(source, start, finish, isBinary, isOwned) {
      if (isEnded) return;
      const { codec, isExtended } = target;
      const bytes = source.subarray(start, finish);
      try {
        // A view would pin the chunk that it was read from, so what is kept is copied.
        const message = isBinary ? (isOwned ? bytes : bytes.slice()) : decodeText(source, start, finish);
        const { type, data } = decodePacket(message, codec, isExtended);
        transport.sink.transportReceived(type, data);
      } catch (cause) {
        connection?.close(1002);
        fail(cause as Error, 'TRANSPORT_ERR_PROTOCOL');
      }
    },
    onPieces() {},
    onStreamStart() {},
    onStreamData() {},
    onStreamEnd() {},
    onPing() {},
    onPong() {},
    onCloseFrame() {},
    onEnding() {},
    onError: (cause) => fail(cause, 'TRANSPORT_ERR_PROTOCOL'),
    onDrain: drained,
    onClose(closeCode, reason, cause) {
      const closeReason = decodeText(reason, 0, reason.length);
      end({ by: 'byPeer', closeCode, closeReason, context: { code: closeCode, reason: closeReason, cause } });
    },
  };

  const opened = (newConnection: NodeConnection) => {
    connection = newConnection;
    connection.start(listener);
    if (isEnded) {
      connection.close();
      return;
    }
    transport.sink.transportOpened();
  };

  /** Reads what the server has to say, which tells more than the status; but not for long. */
  const refused = (response: IncomingMessage) => {
    const { statusCode = 0 } = response;
    let text = '';
    const done = () => {
      handshake?.abort();
      const words = text === '' ? '' : `: ${text.slice(0, 200)}`;
      const cause = new Error(`Unexpected server response: ${statusCode}${words}`);
      fail(cause, explainStatus(statusCode, text), statusCode);
    };
    const timer = target.clock.setTimer(REFUSAL_MS, () => response.destroy());
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > REFUSAL_CHARACTERS) response.destroy();
    });
    response.on('error', () => {});
    response.on('close', () => {
      timer.cancel();
      done();
    });
  };

  const transport: Transport = {
    name: TransportName.websocket,
    get isWritable() {
      return !!connection?.isOpen && !isBusy;
    },
    get bufferedBytes() {
      return connection?.bufferedBytes ?? 0;
    },
    sink: deafSink,
    open() {
      const { options } = target;
      const { protocols = [], extraHeaders, perMessageDeflate = true } = options;
      const cookie = target.cookies?.header();
      const { pfx, key, passphrase, cert, ca, ciphers, rejectUnauthorized, agent } = options;
      const given = Object.entries({ pfx, key, passphrase, cert, ca, ciphers, rejectUnauthorized, agent });
      const { threshold } = typeof perMessageDeflate === 'object' ? perMessageDeflate : {};
      const connectOptions = {
        ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
        protocols: typeof protocols === 'string' ? [protocols] : protocols,
        headers: { ...(cookie && { cookie }), ...extraHeaders },
        deflate: perMessageDeflate ? { clientMaxWindowBits: true, thresholdBytes: threshold } : null,
      };
      try {
        handshake = connectWebSocket(target.url().replace(/^http/, 'ws'), connectOptions, {
          onOpen: opened,
          onError: (cause) => fail(cause, explainSystemError(cause)),
          onUpgrade: ({ headers }) => target.cookies?.store(headers['set-cookie'] ?? []),
          onUnexpectedResponse(_request, response) {
            refused(response);
            return true;
          },
        });
        // From here on the socket of the request is that of the connection.
        if (options.autoUnref) handshake.request?.on('socket', (socket) => socket.unref());
      } catch (cause) {
        // An address or a subprotocol that cannot be. Told later: the caller is not ready for it yet.
        queueMicrotask(() => fail(cause as Error, 'TRANSPORT_ERR_PROTOCOL'));
      }
    },
    send(packets) {
      for (const packet of packets) {
        const { codec, options } = target;
        const encoded = options.forceBase64 ? encodePacketAsText(packet, codec) : encodePacket(packet);
        if (typeof encoded === 'string') connection?.sendText(encoded, packet.compress);
        else connection?.sendBinary(encoded, packet.compress);
      }
      // Not writable until the end of this turn: what is sent meanwhile gathers, and volatile messages give way.
      isBusy = true;
      queueMicrotask(drained);
    },
    close(code) {
      end({ by: 'byUs' });
      handshake?.abort();
      connection?.close(code);
    },
    terminate() {
      end({ by: 'byUs' });
      handshake?.abort();
      connection?.terminate();
    },
    pause: (callback) => callback(),
  };
  return transport;
}

/** WebSocket by Tautline. */
export const nodeWebSocket: ClientTransportFactory = transportFactory(
  TransportName.websocket,
  createWebSocketClient,
);
