/**
 * What: what `require('tautline/ws')` gives: the class itself, which carries the others.
 * Must not know: anything that ws.ts does not export.
 */
export { WebSocket as default } from '../ws/api.ts';
