/**
 * What: `tautline/protocol`, the pure codecs and state machines, one namespace a protocol.
 * Must not know: sockets, Node, browsers; nor must anything that it re-exports.
 */
export { PeerError, UsageError } from '../base/errors.ts';
export type * from '../base/port.ts';
export { portableByteCodec } from '../base/portable-byte-codec.ts';
export * as engine from './protocol-engine.ts';
export * as events from './protocol-events.ts';
export * as session from './protocol-session.ts';
export * as sse from './protocol-sse.ts';
export * as websocket from './protocol-websocket.ts';
