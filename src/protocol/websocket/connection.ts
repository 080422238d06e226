/**
 * What: one open WebSocket connection as a sans-I/O state machine, either role (RFC 6455 sections 5 to 7, RFC 7692).
 * Must not know: sockets, timers, Node, HTTP. Bytes come in, calls on the sink go out.
 */
import { emptyBytes, viewBytes } from '../../base/bytes.ts';
import { type PeerError, UsageError } from '../../base/errors.ts';
import type { Inflater } from '../../base/port.ts';
import {
  CloseCode,
  closeReasonLimitBytes,
  decodeCloseCode,
  encodeCloseBody,
  isLegalCloseCode,
} from '../../wire/websocket/close-code.ts';
import { frameFirstByte } from '../../wire/websocket/frame.ts';
import { controlPayloadLimitBytes, finBit, Opcode, rsv1Bit } from '../../wire/websocket/opcode.ts';
import type { ConnectionOptions, ConnectionSink, ConnectionState } from './connection-port.ts';
import { putBytes, putText } from './frame-output.ts';
import { FrameReceiver } from './frame-receiver.ts';
import { PermessageDeflate, reserveForPeer } from './permessage-deflate.ts';
import { invalidCloseCode, invalidUtf8 } from './violation.ts';

export type {
  ConnectionOptions,
  ConnectionSink,
  ConnectionState,
  Delivery,
  Role,
} from './connection-port.ts';
export type { DeflateAgreement, DeflateUse } from './permessage-deflate.ts';

/** What is being sent in fragments. */
const Outgoing = { nothing: 0, plain: 1, deflated: 2 } as const;
type Outgoing = (typeof Outgoing)[keyof typeof Outgoing];

/**
 * One open WebSocket connection: parses what comes, frames what goes, and does the closing handshake.
 * What it does not do: time limits, ending TCP, queueing. Those are the shell's.
 */
export class WebSocketConnection extends FrameReceiver {
  #state: ConnectionState = 'open';
  #outgoing: Outgoing = Outgoing.nothing;
  /** Made when first needed. */
  #deflate: PermessageDeflate | null = null;
  #isDisposed = false;

  constructor(options: ConnectionOptions, sink: ConnectionSink) {
    super(options, sink);
    if (options.deflate !== null) reserveForPeer(options.deflate, true);
  }

  /** Who acted last. Until our close frame is out (`open`, `closingByPeer`), everything can be sent. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether a message was begun with `sendFragment` and not finished: other messages must wait. */
  get isSendingFragments(): boolean {
    return this.#outgoing !== Outgoing.nothing;
  }

  /**
   * Sends a complete message in one frame. Up to 4 KiB, and any text, goes out with its header by
   * `connectionReserve`; a larger payload of a server goes out uncopied, by `connectionOutput`.
   * @param compress false: not compressed even where deflate was agreed on.
   * @returns whether it was put out: false when our close frame is out, or the connection failed.
   * @throws {UsageError} `WS_MESSAGE_UNFINISHED` between the fragments of another message.
   */
  sendMessage(data: Uint8Array | string, isBinary: boolean, compress = true): boolean {
    if (!this.#canSend) return false;
    if (this.#outgoing !== Outgoing.nothing) throw unfinishedMessage();
    const opcode = isBinary ? Opcode.binary : Opcode.text;
    if (compress && this.options.deflate !== null && this.#sendDeflated(data, opcode)) return true;
    if (typeof data === 'string') putText(this.options, this.sink, finBit | opcode, data);
    else putBytes(this.options, this.sink, finBit | opcode, data);
    return true;
  }

  /**
   * Sends a part of a message of unknown length as a frame. Between the first and the final part only control
   * frames and further parts may be sent (RFC 6455 section 5.4).
   * @param isBinary of the message; read with the first part.
   * @param compress of the message; read with the first part.
   * @returns whether it was put out, as `sendMessage`.
   * @throws {UsageError} `WS_MESSAGE_UNFINISHED` for a first part within a message, `WS_MESSAGE_NOT_BEGUN` for
   *   another part outside.
   */
  sendFragment(
    data: Uint8Array | string,
    isBinary: boolean,
    isFirst: boolean,
    isFinal: boolean,
    compress = true,
  ): boolean {
    if (!this.#canSend) return false;
    if (isFirst !== (this.#outgoing === Outgoing.nothing)) {
      throw isFirst ? unfinishedMessage() : messageNotBegun();
    }
    // RFC 6455 section 5.4: the first frame has the message's opcode, those behind it 0.
    // RFC 7692 section 6.1: only the first frame of a compressed message has RSV1 set.
    if (isFirst) {
      const isDeflating =
        compress && this.options.deflate !== null && this.#contexts().isWorthTrying(isBinary);
      this.#outgoing = isDeflating ? Outgoing.deflated : Outgoing.plain;
    }
    const isDeflated = this.#outgoing === Outgoing.deflated;
    const opcode = !isFirst ? Opcode.continuation : isBinary ? Opcode.binary : Opcode.text;
    const firstByte = frameFirstByte(opcode, isFinal, isFirst && isDeflated);
    if (isFinal) this.#outgoing = Outgoing.nothing;
    if (isDeflated) {
      const part = typeof data === 'string' ? this.options.codec.encodeUtf8(data) : data;
      putBytes(this.options, this.sink, firstByte, this.#contexts().deflate(part, isFinal));
    } else if (typeof data === 'string') {
      putText(this.options, this.sink, firstByte, data);
    } else {
      putBytes(this.options, this.sink, firstByte, data);
    }
    return true;
  }

  /**
   * Sends a frame that was made for many receivers, by `encodeServerFrame` or `encodeDeflatedServerFrame`. Server
   * role only: a client's frames are masked for each connection.
   * @param isDeflated made by the latter, for a window not larger than agreed on here.
   * @returns whether it was put out, as `sendMessage`.
   * @throws {UsageError} `WS_MESSAGE_UNFINISHED` between the fragments of another message.
   */
  sendEncoded(frame: Uint8Array, isDeflated = false): boolean {
    if (!this.#canSend) return false;
    if (this.#outgoing !== Outgoing.nothing) throw unfinishedMessage();
    // The peer's window now holds this message too, ours does not: later references would point elsewhere.
    if (isDeflated && this.#deflate !== null) this.#deflate.forgetSent();
    this.sink.connectionOutput(frame);
    return true;
  }

  /**
   * @returns whether it was put out, as `sendMessage`.
   * @throws {UsageError} `WS_DATA_TOO_LONG` above 125 bytes (RFC 6455 section 5.5).
   */
  sendPing(data: Uint8Array | string = emptyBytes): boolean {
    return this.#sendControl(Opcode.ping, data);
  }

  /**
   * @returns whether it was put out, as `sendMessage`.
   * @throws {UsageError} `WS_DATA_TOO_LONG` above 125 bytes (RFC 6455 section 5.5).
   */
  sendPong(data: Uint8Array | string = emptyBytes): boolean {
    return this.#sendControl(Opcode.pong, data);
  }

  /**
   * Begins the closing handshake, or answers the peer's. Nothing can be sent after it.
   * @param code 1000-1003, 1007-1014 or 3000-4999; none: an empty close frame.
   * @param reason at most 123 bytes of UTF-8; only with a code.
   * @returns whether it was put out, as `sendMessage`.
   * @throws {UsageError} `WS_INVALID_CLOSE_CODE`, `WS_CLOSE_REASON_TOO_LONG`.
   */
  sendClose(code?: number, reason: Uint8Array | string = ''): boolean {
    let body: Uint8Array = emptyBytes;
    if (code !== undefined) {
      if (!isLegalCloseCode(code)) {
        throw new UsageError(`Close code ${code} must not be sent; use 1000 or one of 3000 to 4999`, {
          code: 'WS_INVALID_CLOSE_CODE',
        });
      }
      body = encodeCloseBody(code, reason, this.options.codec);
      if (body.length > controlPayloadLimitBytes) {
        throw new UsageError(`A close reason has at most ${closeReasonLimitBytes} bytes of UTF-8`, {
          code: 'WS_CLOSE_REASON_TOO_LONG',
          limit: { name: 'closeReasonLimitBytes', value: closeReasonLimitBytes },
        });
      }
    }
    if (!this.#canSend) return false;
    this.#state = this.#state === 'open' ? 'closingByUs' : 'closedByPeer';
    putBytes(this.options, this.sink, finBit | Opcode.close, body);
    return true;
  }

  /** Frees what is held: reassembly, compression contexts. The shell calls it when the socket is gone. */
  dispose(): void {
    if (this.#state !== 'closedByUs' && this.#state !== 'closedByPeer') this.#state = 'failed';
    this.stopReceiving(true);
    this.#deflate?.close();
    this.#deflate = null;
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    if (this.options.deflate !== null) reserveForPeer(this.options.deflate, false);
  }

  // Sending

  /** RFC 6455 section 5.5.1: after its close frame an endpoint sends nothing more. */
  get #canSend(): boolean {
    return this.#state === 'open' || this.#state === 'closingByPeer';
  }

  #contexts(): PermessageDeflate {
    this.#deflate ??= new PermessageDeflate(this.options.deflate!);
    return this.#deflate;
  }

  /** @returns false when the message is better sent as it is. */
  #sendDeflated(data: Uint8Array | string, opcode: Opcode): boolean {
    const { codec } = this.options;
    const { agreement, thresholdBytes } = this.options.deflate!;
    const length = typeof data === 'string' ? codec.utf8Length(data) : data.length;
    if (length === 0 || (length < thresholdBytes && !agreement.ownContextTakeover)) return false;
    const contexts = this.#contexts();
    if (!contexts.isWorthTrying(opcode === Opcode.binary)) return false;
    const payload = typeof data === 'string' ? codec.encodeUtf8(data) : data;
    const deflated = contexts.deflate(payload, true);
    // RFC 7692 section 6: each message may be compressed or not. One that grew goes as it is; the peer's window
    // does not get to see it, so ours must not keep it.
    if (deflated.length >= length) {
      contexts.forgetSent();
      return false;
    }
    putBytes(this.options, this.sink, finBit | rsv1Bit | opcode, deflated);
    return true;
  }

  #sendControl(opcode: Opcode, data: Uint8Array | string): boolean {
    const payload = typeof data === 'string' ? this.options.codec.encodeUtf8(data) : data;
    if (payload.length > controlPayloadLimitBytes) {
      throw new UsageError(`A ping or pong has at most ${controlPayloadLimitBytes} bytes`, {
        code: 'WS_DATA_TOO_LONG',
        limit: { name: 'controlPayloadLimitBytes', value: controlPayloadLimitBytes },
      });
    }
    if (!this.#canSend) return false;
    putBytes(this.options, this.sink, finBit | opcode, payload);
    return true;
  }

  // Receiving

  protected override receiveControl(opcode: number, payload: Uint8Array): void {
    if (opcode === Opcode.close) {
      this.#closeFrame(payload);
    } else if (opcode === Opcode.ping) {
      // RFC 6455 section 5.5.3: a pong carries the bytes of the ping that it answers.
      if (this.options.autoPong) this.#sendControl(Opcode.pong, payload);
      this.sink.connectionPing(payload);
    } else {
      this.sink.connectionPong(payload);
    }
  }

  protected override beginInflating(): Inflater {
    return this.#contexts().beginInflating();
  }

  protected override endInflating(): void {
    this.#deflate?.endInflating();
  }

  protected override receivedAll(): void {
    // RFC 6455 section 7.1.5: without a close frame the connection ended abnormally.
    if (this.#state === 'open' || this.#state === 'closingByUs') this.#state = 'failed';
    this.sink.connectionEnded();
  }

  #closeFrame(body: Uint8Array): void {
    const code = decodeCloseCode(body);
    const reason = body.length > 2 ? viewBytes(body, 2, body.length) : emptyBytes;
    // RFC 6455 section 7.4: some codes must not come over the wire.
    if (body.length > 0 && !isLegalCloseCode(code)) {
      this.fail(invalidCloseCode(code));
      return;
    }
    // RFC 6455 section 5.5.1: the reason is UTF-8.
    if (this.options.checkUtf8 && !this.options.codec.isUtf8(reason)) {
      this.fail(invalidUtf8());
      return;
    }
    // RFC 6455 section 5.5.1: what comes after a close frame is no longer looked at.
    this.stopReceiving();
    if (this.#state === 'closingByUs') {
      this.#state = 'closedByUs';
    } else if (this.options.autoClose) {
      // RFC 6455 section 5.5.1: answer a close frame with one, if none was sent yet, and with its code.
      this.#state = 'closedByPeer';
      putBytes(this.options, this.sink, finBit | Opcode.close, body);
    } else {
      this.#state = 'closingByPeer';
    }
    this.sink.connectionCloseReceived(code, reason);
  }

  /** RFC 6455 section 7.1.7: fails the connection, telling the peer why if a close frame may still be sent. */
  protected override fail(error: PeerError): void {
    const mayTell = this.#canSend;
    this.#state = 'failed';
    this.stopReceiving();
    if (mayTell) {
      const code = error.closeCode ?? CloseCode.protocolError;
      const reason = error.message.length > closeReasonLimitBytes ? '' : error.message;
      putBytes(
        this.options,
        this.sink,
        finBit | Opcode.close,
        encodeCloseBody(code, reason, this.options.codec),
      );
    }
    this.#deflate?.close();
    this.#deflate = null;
    this.sink.connectionFailed(error);
  }
}

function unfinishedMessage(): UsageError {
  return new UsageError('The message sent in fragments must be finished before another is sent', {
    code: 'WS_MESSAGE_UNFINISHED',
  });
}

function messageNotBegun(): UsageError {
  return new UsageError('The first fragment of a message must be sent as the first', {
    code: 'WS_MESSAGE_NOT_BEGUN',
  });
}
