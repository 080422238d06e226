/**
 * What: the namespace `session` of `tautline/protocol`: the conversation that outlives its connections.
 * Must not know: anything but names.
 */
export * from '../protocol/session/send-window.ts';
export * from '../protocol/session/session.ts';
