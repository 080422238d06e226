/**
 * What: a server on a port of its own, and clients of both kinds that enter it; all gone when the test is.
 * Must not know: what is tested.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Socket as PlainSocket, io as plainIo } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { type Socket as OurSocket, io as ourIo } from '../../../src/entry/client-node.ts';
import { Server, type ServerOptions, type Socket } from '../../../src/entry/index.ts';

export interface Scene {
  readonly io: Server;
  readonly port: number;
  /** A client of ours, and its socket on the server. */
  ours(nsp?: string, opts?: object): Promise<{ client: OurSocket; socket: Socket }>;
  /** One of socket.io-client, and its socket on the server. */
  plain(nsp?: string, opts?: object): Promise<{ client: PlainSocket; socket: Socket }>;
}

/** @param prepare told the server before anybody can enter. */
export async function scene(
  options: Partial<ServerOptions> = {},
  prepare?: (io: Server) => void,
): Promise<Scene> {
  const http = createServer();
  const io = new Server(http, options);
  prepare?.(io);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    http.closeAllConnections();
    await io.close();
  });
  const { port } = http.address() as AddressInfo;
  const enter = async <Client extends OurSocket | PlainSocket>(client: Client, nsp: string) => {
    onTestFinished(() => void client.disconnect());
    const entered = once(io.of(nsp) as Server['sockets'], 'connection');
    const connected = next(client, 'connect');
    const [socket] = (await entered) as [Socket];
    await connected;
    return { client, socket };
  };
  const url = `http://127.0.0.1:${port}`;
  const common = { transports: ['websocket'], forceNew: true };
  return {
    io,
    port,
    ours: (nsp = '/', opts = {}) => enter(ourIo(`${url}${nsp}`, { ...common, ...opts }) as OurSocket, nsp),
    plain: (nsp = '/', opts = {}) => enter(plainIo(`${url}${nsp}`, { ...common, ...opts }), nsp),
  };
}

/** The next event of a client, as the list of its arguments. */
export function next(
  emitter: { once(event: never, listener: (...args: unknown[]) => void): unknown },
  event: string,
): Promise<unknown[]> {
  return new Promise((resolve) => {
    emitter.once(event as never, (...args) => resolve(args));
  });
}
