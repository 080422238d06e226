/**
 * What: how permessage-deflate is offered, accepted and agreed on (RFC 7692 sections 5 and 7.1), either role.
 * Must not know: compressors, frames, the rest of the handshake.
 */
import { UsageError } from '../../base/errors.ts';
import { type Extension, formatExtensions } from '../../wire/websocket/extension-header.ts';
import type { DeflateAgreement } from './permessage-deflate.ts';

/** What one side offers or accepts. The names are those of RFC 7692's parameters. */
export interface DeflateParameters {
  /**
   * true: the server is to forget its window after each message. false (server): an offer that asks for it is
   * declined.
   */
  readonly serverNoContextTakeover?: boolean | undefined;
  /** true: the client is to forget its window. false: it is not asked to, and does not do it when asked. */
  readonly clientNoContextTakeover?: boolean | undefined;
  /** The server's window, 8 to 15 bits. Default: 15, or what the client asks for. */
  readonly serverMaxWindowBits?: number | undefined;
  /**
   * The client's window, 8 to 15 bits. On the client, `true` (default): the server may choose; false: it may not.
   * On the server, a number below 15 is accepted only by clients that let the server choose.
   */
  readonly clientMaxWindowBits?: number | boolean | undefined;
}

/** What was agreed on, and the text that says so in the server's answer. */
export interface DeflateAnswer {
  readonly agreement: DeflateAgreement;
  readonly header: string;
}

/** The name in Sec-WebSocket-Extensions. */
export const deflateExtensionName = 'permessage-deflate';

const fullWindowBits = 15;

/*
 * A window of 8 bits: zlib inflates it, but cannot deflate raw with less than 9. A deflater made for 9 looks back
 * 250 bytes at most (512 less zlib's look-ahead of 262), which fits into the 256 of the peer. So 8 is offered and
 * accepted like the others; it is for the DeflatePort to do it so.
 */

/** The parameters of one offer or answer, read. `true`: present without a value. */
interface ReadParameters {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number | null;
  clientMaxWindowBits: number | true | null;
}

/** RFC 7692 section 7.1.2: a decimal number from 8 to 15 without leading zeros. */
function readWindowBits(value: string): number | null {
  if (value.length === 1) return value === '8' || value === '9' ? Number(value) : null;
  const isTens =
    value.length === 2 && value.charAt(0) === '1' && value.charAt(1) >= '0' && value.charAt(1) <= '5';
  return isTens ? Number(value) : null;
}

/**
 * RFC 7692 section 7.1: each parameter at most once, known, and with a value as defined.
 * @param isOffer an offer may have client_max_window_bits without a value, an answer not.
 */
function readParameters(extension: Extension, isOffer: boolean): ReadParameters | null {
  const read: ReadParameters = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: null,
    clientMaxWindowBits: null,
  };
  const seen = new Set<string>();
  for (const [name, value] of extension.parameters) {
    if (seen.has(name)) return null;
    seen.add(name);
    if (name === 'server_no_context_takeover' && value === true) {
      read.serverNoContextTakeover = true;
    } else if (name === 'client_no_context_takeover' && value === true) {
      read.clientNoContextTakeover = true;
    } else if (name === 'client_max_window_bits' && value === true && isOffer) {
      read.clientMaxWindowBits = true;
    } else if (name === 'client_max_window_bits' || name === 'server_max_window_bits') {
      const bits = value === true ? null : readWindowBits(value);
      if (bits === null) return null;
      if (name === 'client_max_window_bits') read.clientMaxWindowBits = bits;
      else read.serverMaxWindowBits = bits;
    } else {
      return null;
    }
  }
  return read;
}

/**
 * Checks what an application wants.
 * @throws {UsageError} `WS_INVALID_WINDOW_BITS` for a window that is not 8 to 15 bits.
 */
export function checkDeflateParameters(wanted: DeflateParameters): void {
  for (const name of ['serverMaxWindowBits', 'clientMaxWindowBits'] as const) {
    const value = wanted[name];
    if (typeof value !== 'number') continue;
    if (!Number.isInteger(value) || value < 8 || value > fullWindowBits) {
      throw new UsageError(`Invalid value for ${name}: ${value}; a window has 8 to 15 bits`, {
        code: 'WS_INVALID_WINDOW_BITS',
      });
    }
  }
}

/**
 * The client's offer as header text. By default `permessage-deflate; client_max_window_bits`.
 * @throws {UsageError} `WS_INVALID_WINDOW_BITS`.
 */
export function formatDeflateOffer(wanted: DeflateParameters): string {
  checkDeflateParameters(wanted);
  const { serverMaxWindowBits, clientMaxWindowBits = true } = wanted;
  const parameters: [string, string | true][] = [];
  if (wanted.serverNoContextTakeover) parameters.push(['server_no_context_takeover', true]);
  if (wanted.clientNoContextTakeover) parameters.push(['client_no_context_takeover', true]);
  if (serverMaxWindowBits !== undefined) {
    parameters.push(['server_max_window_bits', String(serverMaxWindowBits)]);
  }
  if (clientMaxWindowBits !== false) {
    parameters.push([
      'client_max_window_bits',
      clientMaxWindowBits === true ? true : String(clientMaxWindowBits),
    ]);
  }
  return formatExtensions([{ name: deflateExtensionName, parameters }]);
}

/**
 * Chooses among a client's offers, as the server: the first that can be accepted (RFC 7692 section 5.1: the client
 * puts what it likes best first). An offer that is invalid is declined, as section 7.1 demands, not refused.
 * Deviation from ws, which refuses the whole handshake then.
 * @returns `null` when none can be accepted: the connection goes without compression.
 */
export function acceptDeflateOffer(
  extensions: readonly Extension[],
  wanted: DeflateParameters,
): DeflateAnswer | null {
  for (const extension of extensions) {
    if (extension.name !== deflateExtensionName) continue;
    const offer = readParameters(extension, true);
    const answer = offer === null ? null : answerOffer(offer, wanted);
    if (answer !== null) return answer;
  }
  return null;
}

function answerOffer(offer: ReadParameters, wanted: DeflateParameters): DeflateAnswer | null {
  const clientLimit = typeof wanted.clientMaxWindowBits === 'number' ? wanted.clientMaxWindowBits : null;
  // RFC 7692 section 7.1.2.2: only a client that said so can be told which window to use.
  if (clientLimit !== null && clientLimit < fullWindowBits && offer.clientMaxWindowBits === null) return null;
  if (offer.serverNoContextTakeover && wanted.serverNoContextTakeover === false) return null;

  const serverForgets = offer.serverNoContextTakeover || wanted.serverNoContextTakeover === true;
  const clientForgets =
    wanted.clientNoContextTakeover === true ||
    (offer.clientNoContextTakeover && wanted.clientNoContextTakeover !== false);
  const serverBits = Math.min(
    wanted.serverMaxWindowBits ?? fullWindowBits,
    offer.serverMaxWindowBits ?? fullWindowBits,
  );
  const offeredClientBits = typeof offer.clientMaxWindowBits === 'number' ? offer.clientMaxWindowBits : null;
  const clientBits = Math.min(clientLimit ?? fullWindowBits, offeredClientBits ?? fullWindowBits);

  const parameters: [string, string | true][] = [];
  if (serverForgets) parameters.push(['server_no_context_takeover', true]);
  if (clientForgets) parameters.push(['client_no_context_takeover', true]);
  if (wanted.serverMaxWindowBits !== undefined || offer.serverMaxWindowBits !== null) {
    parameters.push(['server_max_window_bits', String(serverBits)]);
  }
  const tellsClientBits =
    offer.clientMaxWindowBits !== null &&
    wanted.clientMaxWindowBits !== false &&
    (clientLimit !== null || offeredClientBits !== null);
  if (tellsClientBits) parameters.push(['client_max_window_bits', String(clientBits)]);

  return {
    header: formatExtensions([{ name: deflateExtensionName, parameters }]),
    agreement: {
      ownWindowBits: serverBits,
      peerWindowBits: tellsClientBits ? clientBits : fullWindowBits,
      ownContextTakeover: !serverForgets,
      peerContextTakeover: !clientForgets,
    },
  };
}

/**
 * Reads the server's answer, as the client.
 * @param answer the one element of Sec-WebSocket-Extensions.
 * @param wanted what was offered with {@link formatDeflateOffer}.
 * @returns `null` when the answer is invalid or not to what was offered: the handshake fails (RFC 7692 section 7.1).
 */
export function readDeflateAnswer(answer: Extension, wanted: DeflateParameters): DeflateAgreement | null {
  const read = readParameters(answer, false);
  if (read === null || answer.name !== deflateExtensionName) return null;
  const { serverMaxWindowBits = fullWindowBits, clientMaxWindowBits = true } = wanted;
  const clientBits = typeof read.clientMaxWindowBits === 'number' ? read.clientMaxWindowBits : null;
  const clientLimit = typeof clientMaxWindowBits === 'number' ? clientMaxWindowBits : fullWindowBits;
  // RFC 7692 section 7.1.2.1: the server may lower its window, not raise it above what was offered.
  if (read.serverMaxWindowBits !== null && read.serverMaxWindowBits > serverMaxWindowBits) return null;
  // RFC 7692 section 7.1.2.2: the client's window is not the server's to set unless the client said so.
  if (clientBits !== null && (clientMaxWindowBits === false || clientBits > clientLimit)) return null;
  if (read.clientNoContextTakeover && wanted.clientNoContextTakeover === false) return null;
  return {
    ownWindowBits: Math.min(clientLimit, clientBits ?? fullWindowBits),
    peerWindowBits: read.serverMaxWindowBits ?? fullWindowBits,
    ownContextTakeover: !read.clientNoContextTakeover && wanted.clientNoContextTakeover !== true,
    peerContextTakeover: !read.serverNoContextTakeover,
  };
}
