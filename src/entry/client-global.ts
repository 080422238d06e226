/**
 * What: the classic script: the global function `io` that carries every export, as `io.Manager`.
 * Must not know: anything that client.ts does not export.
 */
import * as client from './client.ts';

export default Object.assign(client.io, client);
