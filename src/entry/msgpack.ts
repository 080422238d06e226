/**
 * What: `tautline/msgpack`: packets as MessagePack instead of JSON, for the option `parser` of both ends.
 * Must not know: anything but the names that users import.
 */
export { messagePackParser as default } from '../wire/events/message-pack-parser.ts';
export * from './msgpack-cjs.ts';
