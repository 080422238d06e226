/**
 * What: the namespace `events` of `tautline/protocol`: Socket.IO 5 packets and their parsers.
 * Must not know: anything but names.
 */
export * from '../wire/events/codec.ts';
export * from '../wire/events/packet.ts';
export * from '../wire/events/parser.ts';
