/**
 * What: the compression contexts of one connection and how messages pass through them (RFC 7692 section 7.2).
 * Must not know: frames, limits on messages, negotiation.
 */
import { emptyBytes, viewBytes } from '../../base/bytes.ts';
import type { DeflatePort, Deflater, Inflater } from '../../base/port.ts';
import { DeflateGain } from './deflate-gain.ts';

/** What both ends agreed on for permessage-deflate (RFC 7692 section 7.1), seen from this side. */
export interface DeflateAgreement {
  /** The window of what this side sends, 8 to 15. */
  readonly ownWindowBits: number;
  readonly peerWindowBits: number;
  /** Whether this side keeps its window from one message to the next. */
  readonly ownContextTakeover: boolean;
  readonly peerContextTakeover: boolean;
}

/** How this side uses what was agreed on. */
export interface DeflateUse {
  readonly agreement: DeflateAgreement;
  readonly port: DeflatePort;
  /** Messages shorter than this are sent as they are when this side keeps no context. */
  readonly thresholdBytes: number;
  /**
   * Whether messages are sent as they are for a while after some that did not shrink; default true. Text and binary
   * messages are judged apart: pictures beside JSON.
   */
  readonly isAdaptive?: boolean | undefined;
}

/** Keeps count of the windows that peers may refer to as long as their connections live. */
export function reserveForPeer({ agreement, port }: DeflateUse, isBeginning: boolean): void {
  if (!agreement.peerContextTakeover) return;
  if (isBeginning) port.reserveForPeer?.(agreement.peerWindowBits);
  else port.releaseForPeer?.(agreement.peerWindowBits);
}

/** RFC 7692 section 7.2.1: what a sender cuts off a message and a receiver appends to it. */
export const deflateTail = new Uint8Array([0x00, 0x00, 0xff, 0xff]);

/** RFC 7692 section 7.2.3.6: nothing, compressed; with the tail it is an empty block without compression. */
const emptyDeflated = new Uint8Array([0x00]);

/**
 * The two contexts of a connection. Made when first needed; a context without takeover lives for one message only
 * (the port pools them), so that an idle connection holds compression memory only where takeover was agreed on.
 */
export class PermessageDeflate {
  readonly #use: DeflateUse;
  #deflater: Deflater | null = null;
  #inflater: Inflater | null = null;
  #textGain: DeflateGain | null = null;
  #binaryGain: DeflateGain | null = null;
  /** Of the message that is being sent. */
  #gain: DeflateGain | null = null;
  #before = 0;
  #after = 0;

  constructor(use: DeflateUse) {
    this.#use = use;
  }

  /** Whether to compress the message that begins, as far as those before it tell. Asked once for each. */
  isWorthTrying(isBinary: boolean): boolean {
    if (this.#use.isAdaptive === false) return true;
    if (isBinary) this.#binaryGain ??= new DeflateGain();
    else this.#textGain ??= new DeflateGain();
    this.#gain = isBinary ? this.#binaryGain : this.#textGain;
    return this.#gain!.isWorthTrying();
  }

  /**
   * Compresses a part of a message.
   * @param isFinal the message ends with it: the tail is cut off (RFC 7692 section 7.2.1).
   */
  deflate(part: Uint8Array, isFinal: boolean): Uint8Array {
    const { agreement, port } = this.#use;
    let deflated: Uint8Array = emptyBytes;
    if (part.length > 0) {
      this.#deflater ??= port.createDeflater(agreement.ownWindowBits);
      deflated = this.#deflater.deflate(part);
    }
    this.#before += part.length;
    this.#after += deflated.length;
    if (!isFinal) return deflated;
    this.#tellGain();
    if (!agreement.ownContextTakeover) this.#closeDeflater();
    if (deflated.length === 0) return emptyDeflated;
    return viewBytes(deflated, 0, deflated.length - deflateTail.length);
  }

  #tellGain(): void {
    if (this.#before > 0) this.#gain?.tell(this.#before, this.#after - deflateTail.length);
    this.#before = 0;
    this.#after = 0;
  }

  /**
   * What was compressed last is not sent, or something else came between: the peer's window is no longer this
   * side's. What follows refers to nothing before.
   */
  forgetSent(): void {
    this.#deflater?.reset();
  }

  /** The inflater for a message that begins. */
  beginInflating(): Inflater {
    this.#inflater ??= this.#use.port.createInflater(this.#use.agreement.peerWindowBits);
    return this.#inflater;
  }

  /** The message that was begun is complete. */
  endInflating(): void {
    if (this.#use.agreement.peerContextTakeover) return;
    this.#inflater?.close();
    this.#inflater = null;
  }

  /** Frees both contexts. */
  close(): void {
    this.#closeDeflater();
    this.#inflater?.close();
    this.#inflater = null;
  }

  #closeDeflater(): void {
    this.#deflater?.close();
    this.#deflater = null;
  }
}
