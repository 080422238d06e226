/**
 * What: the port through which both interfaces of the standard open a connection, and what they need of it.
 * Must not know: HTTP, TLS, sockets; `node-connector.ts` does.
 */
import type { NodeConnection } from '../transport/websocket/node-connection.ts';
import type { ConnectionInit } from './init.ts';

/** What is used of a {@link NodeConnection}. */
export type Connection = Pick<
  NodeConnection,
  | 'subprotocol'
  | 'isOpen'
  | 'shouldWait'
  | 'start'
  | 'send'
  | 'close'
  | 'terminate'
  | 'holdMessages'
  | 'releaseMessages'
>;

/** Exactly one of the two is called, once; none after `abort`. */
export interface ConnectorCallbacks {
  /** The handshake is done. `extensions` is the response's `Sec-WebSocket-Extensions`, empty when it has none. */
  opened(connection: Connection, extensions: string): void;
  failed(error: Error): void;
}

/** Opens a connection. Never calls back before it has returned. */
export type Connector = (
  address: URL,
  protocols: readonly string[],
  init: ConnectionInit,
  callbacks: ConnectorCallbacks,
) => { abort(): void };

/** In the options, for tests: another connector than that of Node. */
export const connectorKey: unique symbol = Symbol('tautline.connector');
