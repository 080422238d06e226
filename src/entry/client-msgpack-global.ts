/**
 * What: the classic script of the client that speaks MessagePack: the global function `io`, as in client-global.ts.
 * Must not know: anything that client.ts and msgpack.ts do not export.
 */
import { createIo } from '../client/io.ts';
import type { ManagerOptions } from '../client/options.ts';
import * as client from './client.ts';
import parser from './msgpack.ts';
import { webPlatform } from './web-platform.ts';

/** A connection whose packets are MessagePack unless it is told otherwise. */
class Manager extends client.Manager {
  constructor(uri?: string | Partial<ManagerOptions>, opts?: Partial<ManagerOptions>) {
    const isUri = typeof uri === 'string';
    super(isUri ? uri : undefined, { parser, ...(isUri ? opts : (uri ?? opts)) });
  }
}

const io = createIo((uri, opts) => new Manager(uri, opts), webPlatform.page);

export default Object.assign(io, client, { io, connect: io, default: io, Manager });
