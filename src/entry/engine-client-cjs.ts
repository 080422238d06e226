/**
 * What: what `require('tautline/engine/client')` gives: a function that connects, carrying every export.
 * Must not know: anything that engine-client-node.ts does not export.
 */
import * as client from './engine-client-node.ts';

export default Object.assign(client.default, client);
