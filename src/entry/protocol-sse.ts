/**
 * What: the namespace `sse` of `tautline/protocol`: event streams, written and read.
 * Must not know: anything but names.
 */
export * from '../wire/sse/format.ts';
export * from '../wire/sse/parser.ts';
