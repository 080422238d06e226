/**
 * What: what `require('tautline/client')` gives: the function `io` that carries every export.
 * Must not know: anything that client-node.ts does not export.
 */
import * as client from './client-node.ts';

export default Object.assign(client.io, client);
