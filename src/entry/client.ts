/**
 * What: `tautline/client` for browsers: `io()`, `Manager` and `Socket` over fetch and the browser's WebSocket.
 * Must not know: Node.
 */
import type { DefaultEventsMap, EventsMap } from '../base/typed-events.ts';
import { createIo } from '../client/io.ts';
import { Manager as PortableManager } from '../client/manager.ts';
import type { ManagerOptions } from '../client/options.ts';
import { Socket } from '../client/socket.ts';
import { protocol } from '../wire/events/packet.ts';
import { webPlatform } from './web-platform.ts';

/** A connection to a server, shared by the sockets of its namespaces; over fetch and WebSocket. */
export class Manager<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
> extends PortableManager<ListenEvents, EmitEvents> {
  /** @param uri of the server, or the options. */
  constructor(uri?: string | Partial<ManagerOptions>, opts?: Partial<ManagerOptions>) {
    super(webPlatform, uri, opts);
  }
}

const connectTo = createIo((uri, opts) => new Manager(uri, opts), webPlatform.page);

/** Connects to a namespace of a server; see {@link Io}. It carries what else there is, as in scripts without modules. */
export const io = /* @__PURE__ */ Object.assign(connectTo, {
  io: connectTo,
  connect: connectTo,
  Manager,
  Socket,
  protocol,
});

export { TransportError } from '../base/transport-error.ts';
export type { DefaultEventsMap, EventsMap } from '../base/typed-events.ts';
export type { ExtendedError, SocketReservedEvents } from '../client/events.ts';
export type { Io } from '../client/io.ts';
export type { ManagerReservedEvents } from '../client/manager.ts';
export type { DisconnectDescription, ManagerOptions, SocketOptions } from '../client/options.ts';
export { webPolling as Fetch, webPolling as XHR } from '../transport/long-polling/web.ts';
export { webTransport as WebTransport } from '../transport/port.ts';
export { webWebSocket as WebSocket } from '../transport/websocket/web.ts';
export { io as connect, io as default, protocol, Socket };
