/**
 * What: the server's side of the opening handshake (RFC 6455 section 4.2, RFC 8441): checks a request, makes the answer.
 * Must not know: sockets, HTTP parsing, paths, origins; whether the request is wanted is for the caller to say.
 */
import type { ByteCodec } from '../../base/port.ts';
import { listHasToken, parseUniqueTokens } from '../../wire/http/token-list.ts';
import { parseExtensions } from '../../wire/websocket/extension-header.ts';
import { acceptDeflateOffer, type DeflateAnswer, type DeflateParameters } from './deflate-negotiation.ts';
import { acceptForKey, type HandshakeHeaders, headerValue, protocolVersions } from './handshake-headers.ts';

/** What is looked at of a request. Node's `IncomingMessage` and `RequestHead` of wire/http are such. */
export interface HandshakeRequest {
  readonly method?: string | undefined;
  /** `2.0`: an extended CONNECT with its pseudo-headers among the headers. */
  readonly httpVersion: string;
  readonly headers: HandshakeHeaders;
}

/** A handshake that may be completed, with {@link formatUpgradeAnswer}. */
export interface HandshakePlan {
  readonly isAcceptable: true;
  /** 13 or 8. */
  readonly version: number;
  /** To be proved to have been read; `null` over HTTP/2. */
  readonly key: string | null;
  /** The page that the request comes from, if a browser says so; of version 8 from Sec-WebSocket-Origin. */
  readonly origin: string | undefined;
  /** Subprotocols that the client speaks, best first; empty when it names none. */
  readonly subprotocols: Set<string>;
  /** What is to be agreed on for compression; `null`: none. */
  readonly deflate: DeflateAnswer | null;
}

/** A handshake that must be refused with an HTTP answer. */
export interface HandshakeRefusal {
  readonly isAcceptable: false;
  readonly status: number;
  /** What is wrong, for the body. Absent when the request is right and not wanted. */
  readonly message: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

function refuse(status: number, message?: string, headers: Record<string, string> = {}): HandshakeRefusal {
  return { isAcceptable: false, status, message, headers };
}

/** RFC 6455 section 4.1: 16 bytes in base64, that is 22 characters and two of padding. */
function isHandshakeKey(key: string): boolean {
  if (key.length !== 24 || !key.endsWith('==')) return false;
  for (let i = 0; i < 22; i++) {
    const code = key.charCodeAt(i);
    const isLetterOrDigit =
      (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
    if (!isLetterOrDigit && code !== 0x2b && code !== 0x2f) return false;
  }
  return true;
}

/**
 * Checks an upgrade request and negotiates compression. The status codes and texts are those of ws.
 * @param deflate what is accepted for compression; `null`: none.
 * @param isWanted asked when the request itself is right; false: refused with 400.
 */
export function checkUpgradeRequest(
  request: HandshakeRequest,
  deflate: DeflateParameters | null,
  isWanted?: () => boolean,
): HandshakePlan | HandshakeRefusal {
  const { headers, httpVersion } = request;
  if (httpVersion === '2.0')
    return checkExtendedConnect(request) ?? negotiate(headers, null, deflate, isWanted);
  // RFC 6455 section 4.2.1 (1): a GET of HTTP/1.1 or higher.
  if (request.method !== 'GET') return refuse(405, 'Invalid HTTP method', { Allow: 'GET' });
  if (httpVersion === '1.0' || httpVersion === '0.9') return refuse(400, 'Invalid HTTP version');
  // (3), (4): Upgrade has the token websocket, Connection the token Upgrade, without regard to case.
  if (!listHasToken(headerValue(headers, 'upgrade') ?? '', 'websocket')) {
    return refuse(400, 'Invalid Upgrade header');
  }
  if (!listHasToken(headerValue(headers, 'connection') ?? '', 'upgrade')) {
    return refuse(400, 'Invalid Connection header');
  }
  // (5): 16 bytes in base64. Two headers are joined with a comma, which is not base64.
  const key = headerValue(headers, 'sec-websocket-key') ?? '';
  if (!isHandshakeKey(key)) return refuse(400, 'Missing or invalid Sec-WebSocket-Key header');
  // (2): Host. (ws does not look at it, and Node only at requests that are no upgrades.)
  if (headerValue(headers, 'host') === undefined) return refuse(400, 'Missing Host header');
  return negotiate(headers, key, deflate, isWanted);
}

/**
 * RFC 8441 sections 4 and 5: `:method` CONNECT with `:protocol` websocket stand for GET, Upgrade and Connection.
 * HTTP/2 itself shows that the server reads the request, so Sec-WebSocket-Key is not looked at. That `:scheme`,
 * `:path` and `:authority` are there was checked by whoever speaks HTTP/2.
 */
function checkExtendedConnect({ method, headers }: HandshakeRequest): HandshakeRefusal | null {
  if (method !== 'CONNECT') return refuse(405, 'Invalid HTTP method', { Allow: 'CONNECT' });
  // RFC 8441 does not say how an unknown protocol is answered; RFC 9220 section 3 does, for the same in HTTP/3: 501.
  if (headerValue(headers, ':protocol') !== 'websocket') return refuse(501, 'Invalid :protocol header');
  return null;
}

/** What both ways have in common: version, subprotocols, extensions. */
function negotiate(
  headers: HandshakeHeaders,
  key: string | null,
  deflate: DeflateParameters | null,
  isWanted?: () => boolean,
): HandshakePlan | HandshakeRefusal {
  // RFC 6455 section 4.2.1 (6), and section 4.4: the answer to an unknown version names those that are known.
  const version = protocolVersions.find(
    (known) => String(known) === headerValue(headers, 'sec-websocket-version'),
  );
  if (version === undefined) {
    return refuse(400, 'Missing or invalid Sec-WebSocket-Version header', {
      'Sec-WebSocket-Version': protocolVersions.toReversed().join(', '),
    });
  }
  if (isWanted?.() === false) return refuse(400);
  // (8): the subprotocols that the client speaks, in its order of preference.
  const offered = headerValue(headers, 'sec-websocket-protocol');
  const subprotocols = offered === undefined ? new Set<string>() : parseUniqueTokens(offered);
  if (subprotocols === null) return refuse(400, 'Invalid Sec-WebSocket-Protocol header');
  // (9), and section 9.1: a value that breaks the grammar fails the handshake; an unknown extension is passed over.
  // Without compression nothing can be agreed on, and the value is not looked at.
  const extensionText = headerValue(headers, 'sec-websocket-extensions');
  let answer: DeflateAnswer | null = null;
  if (deflate !== null && extensionText !== undefined) {
    const extensions = parseExtensions(extensionText);
    if (extensions === null) return refuse(400, 'Invalid or unacceptable Sec-WebSocket-Extensions header');
    answer = acceptDeflateOffer(extensions, deflate);
  }
  const origin = headerValue(headers, version === 8 ? 'sec-websocket-origin' : 'origin');
  return { isAcceptable: true, version, key, origin, subprotocols, deflate: answer };
}

/**
 * The lines of the answer, without their ends (RFC 6455 section 4.2.2).
 * RFC 8441 section 5: over HTTP/2 it is a 200 in place of 101, and nothing has to be proved. The first line only stands
 * for the status there.
 * @param subprotocol one of `plan.subprotocols`; empty: none.
 */
export function formatUpgradeAnswer(plan: HandshakePlan, subprotocol: string, codec: ByteCodec): string[] {
  const lines =
    plan.key === null
      ? ['HTTP/2 200 OK']
      : [
          'HTTP/1.1 101 Switching Protocols',
          'Upgrade: websocket',
          'Connection: Upgrade',
          `Sec-WebSocket-Accept: ${acceptForKey(plan.key, codec)}`,
        ];
  if (subprotocol !== '') lines.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
  if (plan.deflate !== null) lines.push(`Sec-WebSocket-Extensions: ${plan.deflate.header}`);
  return lines;
}
