/**
 * What: the WebSocket transport in Node, over our own WebSocket client: TLS options, an agent, headers, cookies.
 * Must not know: browsers, sessions, or what messages mean.
 */
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
} from '../port.ts';
import { connectWebSocket } from './node-connect.ts';
import type { ConnectionListener, NodeConnection } from './node-connection.ts';

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
          onUnexpectedResponse(_request, { statusCode }) {
            handshake?.abort();
            fail(new Error(`Unexpected server response: ${statusCode}`), 'TRANSPORT_ERR_STATUS', statusCode);
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
export const nodeWebSocket: ClientTransportFactory = Object.assign(createWebSocketClient, {
  transportName: TransportName.websocket,
});
