/**
 * What: the namespace `websocket` of `tautline/protocol`: frames, headers, and the connection as a machine.
 * Must not know: anything but names.
 */
export * from '../protocol/websocket/connection.ts';
export * from '../protocol/websocket/connection-port.ts';
export * from '../protocol/websocket/permessage-deflate.ts';
export * from '../wire/websocket/close-code.ts';
export * from '../wire/websocket/extension-header.ts';
export * from '../wire/websocket/frame.ts';
export * from '../wire/websocket/mask.ts';
export * from '../wire/websocket/opcode.ts';
