/**
 * What: the client's side of the opening handshake (RFC 6455 section 4.1, RFC 8441): headers, check of the answer.
 * Must not know: sockets, HTTP parsing, redirects, addresses.
 */
import { PeerError, UsageError } from '../../base/errors.ts';
import type { ByteCodec, Random } from '../../base/port.ts';
import { isToken } from '../../base/token.ts';
import { listHasToken } from '../../wire/http/token-list.ts';
import { parseExtensions } from '../../wire/websocket/extension-header.ts';
import {
  type DeflateParameters,
  deflateExtensionName,
  formatDeflateOffer,
  readDeflateAnswer,
} from './deflate-negotiation.ts';
import { acceptForKey, type HandshakeHeaders, headerValue, protocolVersions } from './handshake-headers.ts';
import type { DeflateAgreement } from './permessage-deflate.ts';

export interface ClientHandshakeOptions {
  readonly codec: ByteCodec;
  /** The key: RFC 6455 section 4.1 wants it new and random for each connection. */
  readonly random: Random;
  /** 13 (default) or 8. */
  readonly version?: number | undefined;
  /** Best first. Default: none. */
  readonly subprotocols?: readonly string[] | undefined;
  /** What is offered for compression; `null`: nothing. */
  readonly deflate: DeflateParameters | null;
  /** The page for which the connection is opened. Default: none, as for programs that are no browsers. */
  readonly origin?: string | undefined;
  /** Whether it is an extended CONNECT of HTTP/2, whose pseudo-headers the caller adds. Default false. */
  readonly isExtendedConnect?: boolean | undefined;
}

/** What is looked at of an answer. */
export interface HandshakeResponse {
  readonly status: number;
  readonly headers: HandshakeHeaders;
}

/** What was agreed on. */
export interface HandshakeResult {
  /** Empty: none. */
  readonly subprotocol: string;
  readonly deflate: DeflateAgreement | null;
}

function invalidAnswer(code: string, message: string): PeerError {
  return new PeerError(message, { code });
}

function unexpectedStatus(status: number): PeerError {
  return invalidAnswer('WS_ERR_UNEXPECTED_STATUS', `Unexpected server response: ${status}`);
}

/** RFC 8441 section 5, RFC 9110 section 9.3.6: any 2xx says that the CONNECT has succeeded; 200 is what is sent. */
function checkConnected({ status }: HandshakeResponse): PeerError | null {
  return status >= 200 && status < 300 ? null : unexpectedStatus(status);
}

/** Whether all are tokens and none comes twice (RFC 6455 section 4.1). */
export function areSubprotocols(names: readonly string[]): boolean {
  return names.every(isToken) && new Set(names).size === names.length;
}

/** One opening handshake. Make a new one for each request: the key must not be used twice. */
export class ClientHandshake {
  /** Headers of the request, in their order. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #options: ClientHandshakeOptions;
  /** `null` over HTTP/2. */
  readonly #key: string | null;

  /**
   * @throws {UsageError} `WS_UNSUPPORTED_VERSION`, `WS_INVALID_SUBPROTOCOL`, `WS_INVALID_WINDOW_BITS`.
   */
  constructor(options: ClientHandshakeOptions) {
    const { codec, random, version = 13, subprotocols = [], deflate, origin } = options;
    if (!protocolVersions.includes(version)) {
      throw new UsageError(
        `Unsupported protocol version: ${version} (supported versions: ${protocolVersions.join(', ')})`,
        { code: 'WS_UNSUPPORTED_VERSION' },
      );
    }
    if (!areSubprotocols(subprotocols)) {
      throw new UsageError('An invalid or duplicated subprotocol was specified', {
        code: 'WS_INVALID_SUBPROTOCOL',
      });
    }
    this.#options = options;
    const headers: Record<string, string> = { 'Sec-WebSocket-Version': String(version) };
    if (options.isExtendedConnect) {
      // RFC 8441 section 5: `:protocol` takes the place of Upgrade and Connection, HTTP/2 itself that of the key.
      this.#key = null;
    } else {
      const nonce = new Uint8Array(16);
      random.fill(nonce);
      this.#key = codec.encodeBase64(nonce);
      headers['Sec-WebSocket-Key'] = this.#key;
      headers.Connection = 'Upgrade';
      headers.Upgrade = 'websocket';
    }
    if (deflate !== null) headers['Sec-WebSocket-Extensions'] = formatDeflateOffer(deflate);
    if (subprotocols.length > 0) headers['Sec-WebSocket-Protocol'] = subprotocols.join(',');
    if (origin !== undefined) headers[version === 8 ? 'Sec-WebSocket-Origin' : 'Origin'] = origin;
    this.headers = headers;
  }

  /** Checks the server's answer. The texts of the errors are those of ws. */
  check(response: HandshakeResponse): HandshakeResult | PeerError {
    const { headers } = response;
    const key = this.#key;
    const invalid = key === null ? checkConnected(response) : this.#checkSwitched(response, key);
    if (invalid !== null) return invalid;
    const subprotocol = this.#checkSubprotocol(headerValue(headers, 'sec-websocket-protocol'));
    if (subprotocol instanceof PeerError) return subprotocol;
    const deflate = this.#checkExtensions(headerValue(headers, 'sec-websocket-extensions'));
    if (deflate instanceof PeerError) return deflate;
    return { subprotocol, deflate };
  }

  #checkSwitched({ status, headers }: HandshakeResponse, key: string): PeerError | null {
    // RFC 6455 section 4.1: any status but 101 is HTTP's to handle.
    if (status !== 101) return unexpectedStatus(status);
    // (2), (3): Upgrade is websocket, Connection has the token Upgrade, without regard to case.
    if (headerValue(headers, 'upgrade')?.toLowerCase() !== 'websocket') {
      return invalidAnswer('WS_ERR_INVALID_UPGRADE', 'Invalid Upgrade header');
    }
    if (!listHasToken(headerValue(headers, 'connection') ?? '', 'upgrade')) {
      return invalidAnswer('WS_ERR_INVALID_CONNECTION', 'Invalid Connection header');
    }
    // (4): the proof that the server has read the key.
    if (headerValue(headers, 'sec-websocket-accept') !== acceptForKey(key, this.#options.codec)) {
      return invalidAnswer('WS_ERR_INVALID_ACCEPT', 'Invalid Sec-WebSocket-Accept header');
    }
    return null;
  }

  /** (6): one of those asked for. That the server must choose one is not in the RFC; ws and browsers differ. */
  #checkSubprotocol(chosen: string | undefined): string | PeerError {
    const { subprotocols = [] } = this.#options;
    if (chosen === undefined) {
      return subprotocols.length === 0
        ? ''
        : invalidAnswer('WS_ERR_MISSING_SUBPROTOCOL', 'Server sent no subprotocol');
    }
    if (subprotocols.length === 0) {
      return invalidAnswer(
        'WS_ERR_UNEXPECTED_SUBPROTOCOL',
        'Server sent a subprotocol but none was requested',
      );
    }
    return subprotocols.includes(chosen)
      ? chosen
      : invalidAnswer('WS_ERR_INVALID_SUBPROTOCOL', 'Server sent an invalid subprotocol');
  }

  /** (5): only extensions that were asked for. */
  #checkExtensions(text: string | undefined): DeflateAgreement | null | PeerError {
    const { deflate } = this.#options;
    if (text === undefined) return null;
    if (deflate === null) {
      return invalidAnswer(
        'WS_ERR_UNEXPECTED_EXTENSION',
        'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
      );
    }
    const extensions = parseExtensions(text);
    const invalid = invalidAnswer('WS_ERR_INVALID_EXTENSION', 'Invalid Sec-WebSocket-Extensions header');
    if (extensions === null) return invalid;
    if (extensions.some(({ name }) => name !== deflateExtensionName)) {
      return invalidAnswer(
        'WS_ERR_UNEXPECTED_EXTENSION',
        'Server indicated an extension that was not requested',
      );
    }
    if (extensions.length !== 1) return invalid;
    return readDeflateAnswer(extensions[0]!, deflate) ?? invalid;
  }
}
