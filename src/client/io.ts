/**
 * What: the function `io()`: a socket for an address, on a connection that is shared where it can be.
 * Must not know: how connections and sockets work, or any platform.
 */
import type { DefaultEventsMap, EventsMap } from '../base/typed-events.ts';
import { resolveAddress } from './address.ts';
import type { Manager } from './manager.ts';
import type { ManagerOptions, SocketOptions } from './options.ts';
import type { Socket } from './socket.ts';

/** The function `io()`. */
export interface Io {
  /**
   * Gives the socket of a namespace, connecting to its server if that is not yet done.
   *
   * The path of the address is the namespace; its query goes along with each request. Namespaces of one server
   * share a connection, unless `forceNew` is set, `multiplex` is off, or the same namespace is wanted twice.
   * @param uri `https://example.com/chat`, or `/chat` on the page's own server. Default: the page's own server.
   */
  <ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    uri?: string,
    opts?: Partial<ManagerOptions & SocketOptions>,
  ): Socket<ListenEvents, EmitEvents>;
  <ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    opts?: Partial<ManagerOptions & SocketOptions>,
  ): Socket<ListenEvents, EmitEvents>;
}

/**
 * Makes `io()` for a platform.
 * @param createManager makes a connection.
 * @param page where addresses without a host lead to.
 */
export function createIo(
  createManager: (uri: string, opts: Partial<ManagerOptions>) => Manager,
  page: string | undefined,
): Io {
  const managers = new Map<string, Manager>();
  const io = (
    uri?: string | Partial<ManagerOptions & SocketOptions>,
    given: Partial<ManagerOptions & SocketOptions> = {},
  ) => {
    const isUri = typeof uri === 'string';
    const opts = isUri ? given : (uri ?? given);
    const { id, namespace, source } = resolveAddress(isUri ? uri : '', opts.path || '/socket.io', page);
    let manager = managers.get(id);
    if (opts.forceNew || opts.multiplex === false || (manager && namespace in manager.nsps)) {
      manager = createManager(source, opts);
    } else if (!manager) {
      manager = createManager(source, opts);
      managers.set(id, manager);
    }
    return manager.socket(namespace, opts);
  };
  return io as Io;
}
