/**
 * What: the namespace `engine` of `tautline/protocol`: Engine.IO 4 packets, payloads and the opening handshake.
 * Must not know: anything but names.
 */
export * from '../wire/engine/codec.ts';
export * from '../wire/engine/handshake.ts';
export * from '../wire/engine/packet.ts';
export * from '../wire/engine/payload.ts';
