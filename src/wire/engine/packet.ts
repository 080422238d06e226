/**
 * What: the Engine.IO protocol 4 packet as a value, and the outgoing packet that many receivers share.
 * Must not know: how packets are written as bytes or text (see codec.ts, payload.ts), or who sends them.
 */

/**
 * Engine.IO protocol 4, "Packet types". The value is the character on the wire.
 * `count` belongs to the session extension (docs/protocol/session.md) and is a packet only where that was negotiated.
 */
export const PacketType = {
  open: '0',
  close: '1',
  ping: '2',
  pong: '3',
  message: '4',
  upgrade: '5',
  noop: '6',
  count: '7',
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/**
 * A packet on its way out. One instance serves all receivers of a broadcast: a transport keeps the bytes that it
 * has made of the packet in the packet's own slots, so that encoding happens once however many receive it.
 */
export class OutgoingPacket {
  readonly type: PacketType;
  /** Empty string for a packet without data. */
  readonly data: string | Uint8Array;
  /** Whether compression may be used where it was negotiated. */
  readonly compress: boolean;
  /**
   * Memo of the websocket transport (server role, uncompressed): the complete unmasked frame. `null` after the
   * first receiver: the frame is made, and kept, when there is a second.
   */
  websocketFrame: Uint8Array | null | undefined = undefined;
  /** Memo of the text transports: the packet as text, binary as base64. */
  encodedText: string | undefined = undefined;

  constructor(type: PacketType, data: string | Uint8Array = '', compress = true) {
    this.type = type;
    this.data = data;
    this.compress = compress;
  }
}
