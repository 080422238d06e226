/**
 * What: the subpath `tautline/ws` as an ES module.
 * Must not know: anything but what it hands on.
 */
export * from '../ws/api.ts';
export { WebSocket as default } from '../ws/api.ts';
