/**
 * What: the WebSocket transport over the WebSocket of the platform (browsers).
 * Must not know: Node, sessions, or what messages mean.
 */
import { TransportError, type TransportErrorDetails } from '../../base/transport-error.ts';
import { decodePacket, encodePacket, encodePacketAsText } from '../../wire/engine/codec.ts';
import {
  type ClientTarget,
  type ClientTransportFactory,
  deafSink,
  type Transport,
  type TransportClosed,
  transportFactory,
} from '../port.ts';

function createWebSocketClient(target: ClientTarget): Transport {
  let socket: WebSocket | undefined;
  let isOpen = false;
  let isBusy = false;
  let isEnded = false;
  let failure: Partial<TransportErrorDetails> | undefined;

  const end = (closed: TransportClosed) => {
    if (isEnded) return;
    isEnded = true;
    transport.sink.transportClosed(closed);
  };

  const ended = (event?: CloseEvent) => {
    const { code, reason } = event ?? {};
    const closed = { closeCode: code, closeReason: reason, context: event };
    if (isOpen && !failure) end({ by: 'byPeer', ...closed });
    else {
      const error = new TransportError('websocket error', {
        transport: 'websocket',
        step: isOpen ? 'read' : 'open',
        code: isOpen ? 'TRANSPORT_ERR_CLOSED' : 'TRANSPORT_ERR_NETWORK',
        context: event,
        cause: new Error(`WebSocket closed with code ${code} ${reason}`),
        ...failure,
      });
      end({ by: 'failed', ...closed, error });
    }
  };

  const transport: Transport = {
    name: 'websocket',
    get isWritable() {
      return isOpen && !isBusy;
    },
    get bufferedBytes() {
      return socket?.bufferedAmount ?? 0;
    },
    sink: deafSink,
    open() {
      const { protocols = [] } = target.options;
      try {
        socket = new WebSocket(target.url().replace(/^http/, 'ws'), protocols as string | string[]);
      } catch (cause) {
        // A URL or a scheme that the page may not use. Told later: the caller is not ready for it yet.
        failure = { cause };
        queueMicrotask(ended);
        return;
      }
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => {
        isOpen = true;
        transport.sink.transportOpened();
      };
      socket.onmessage = ({ data }) => {
        if (isEnded) return;
        let packet: ReturnType<typeof decodePacket>;
        try {
          packet = decodePacket(
            typeof data === 'string' ? data : new Uint8Array(data),
            target.codec,
            target.isExtended,
          );
        } catch (cause) {
          failure = { cause, code: 'TRANSPORT_ERR_PROTOCOL' };
          socket?.close();
          ended();
          return;
        }
        transport.sink.transportReceived(packet.type, packet.data);
      };
      // The close event always follows, and knows more.
      socket.onerror = (description) => {
        failure = { description };
      };
      socket.onclose = ended;
    },
    send(packets) {
      for (const packet of packets) {
        const encoded = target.options.forceBase64
          ? encodePacketAsText(packet, target.codec)
          : encodePacket(packet);
        socket?.send(encoded as string | Uint8Array<ArrayBuffer>);
      }
      // Not writable until the end of this turn: what is sent meanwhile gathers, and volatile messages give way.
      if (isBusy) return;
      isBusy = true;
      queueMicrotask(() => {
        isBusy = false;
        if (!isEnded) transport.sink.transportDrained();
      });
    },
    close(code) {
      end({ by: 'byUs' });
      socket?.close(code);
    },
    terminate: () => transport.close(),
    pause: (callback) => callback(),
  };
  return transport;
}

/** WebSocket as the browser has it. */
export const webWebSocket: ClientTransportFactory = /* @__PURE__ */ transportFactory(
  'websocket',
  createWebSocketClient,
);
