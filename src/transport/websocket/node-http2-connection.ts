/**
 * What: a WebSocket on one stream of an HTTP/2 session: how it breaks off, and what it shows as its socket.
 * Must not know: handshakes, or which side opened the stream.
 */
import type { Http2Session, Http2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { PeerError } from '../../base/errors.ts';
import { NodeConnection, type NodeConnectionOptions } from './node-connection.ts';

/** RFC 9113 section 7; numbers here, so that nobody loads `node:http2` who does not use it. */
export const StreamCode = { noError: 0x0, cancel: 0x8 } as const;

const codeNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

/** Why a stream is gone for which neither side has asked by WebSocket's means. */
export function resetError(session: Http2Session | undefined, code: number): PeerError {
  if (session === undefined || session.destroyed || session.socket?.destroyed) {
    return new PeerError('The HTTP/2 session has ended', { code: 'WS_ERR_HTTP2_SESSION_ENDED' });
  }
  const name = codeNames[code] ?? code;
  return new PeerError(`The HTTP/2 stream was reset by the peer (${name})`, {
    code: 'WS_ERR_HTTP2_STREAM_RESET',
  });
}

/** Breaks a stream off: RFC 8441 section 5 wants RST_STREAM with CANCEL where TCP would have a reset. */
export function cancelStream(stream: Http2Stream): void {
  if (stream.destroyed) return;
  stream.close(StreamCode.cancel);
  stream.destroy();
}

/** A WebSocket on a stream. END_STREAM is what the end of TCP is elsewhere (RFC 8441 section 5). */
export class Http2Connection extends NodeConnection {
  declare readonly socket: Http2Stream;
  /** Kept here, since a stream forgets it when it closes. @internal */
  readonly session: Http2Session | undefined;
  /** @internal */ isCancelled = false;
  #rawSocket: Duplex | null = null;

  constructor(stream: Http2Stream, options: NodeConnectionOptions, subprotocol?: string) {
    super(stream, options, subprotocol);
    this.session = stream.session;
    // What the server's program set for requests is not for a connection of long life.
    stream.setTimeout(0);
  }

  override get rawSocket(): Duplex {
    this.#rawSocket ??= asSocket(this.socket, this.session);
    return this.#rawSocket;
  }

  override destroySocket(): void {
    this.isCancelled = true;
    cancelStream(this.socket);
  }

  override socketClosed(): void {
    const { rstCode } = this.socket;
    // Node reports CANCEL and the end of a session by no error, as it is nobody's fault; our users want the cause.
    if (!this.isCancelled && this.closeCode === 1006 && rstCode !== StreamCode.noError) {
      this.error ??= resetError(this.session, rstCode);
    }
    super.socketClosed();
  }
}

/** Of a socket's methods those that would change the whole session; programs call them on their own connection. */
const ofSession: ReadonlySet<PropertyKey> = new Set(['setNoDelay', 'setKeepAlive', 'ref', 'unref']);

/**
 * The stream with what programs read of a socket besides: `remoteAddress`, `encrypted`, `getPeerCertificate`. These
 * are the session's, shared by all its streams, and gone with it but for `encrypted`. Unlike Node's own views it never
 * throws.
 */
export function asSocket(stream: Http2Stream, session: Http2Session | undefined): Duplex {
  const view: Http2Stream = new Proxy(stream, {
    has: (target, name) => name in target || sessionValue(session, name) !== undefined,
    get(target, name) {
      if (name in target) {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      if (ofSession.has(name)) return () => view;
      return sessionValue(session, name);
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
  return view;
}

/** What the session's socket has; nothing when the session is gone, where Node would throw. */
function sessionValue(session: Http2Session | undefined, name: PropertyKey): unknown {
  if (session === undefined) return undefined;
  if (session.destroyed) return name === 'encrypted' ? session.encrypted : undefined;
  return Reflect.get(session.socket, name);
}
