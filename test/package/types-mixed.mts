/**
 * What: a TypeScript ES module that gives our classes to packages which are CommonJS, as `@socket.io/admin-ui` is, and gets
 * parsers from packages whose types say something else. Compiled against the packed declarations.
 */

import { Server, type Socket } from 'tautline';
import { type Socket as ClientSocket, io } from 'tautline/client';
import { withStreams } from 'tautline/client/stream';
import { defineContract, withContract } from 'tautline/contract';
import { Server as Engine } from 'tautline/engine';
import { WebSocketServer } from 'tautline/ws';
import type * as there from './types-there.cjs';

declare function instrument(server: there.Server): void;
instrument(new Server());
export const server: Server = {} as there.Server;
export const socket: there.Socket = {} as Socket;
export const client: there.ClientSocket = io();
export const sameClient: ClientSocket = client;
export const engine: there.Engine = new Engine();
export const wss: there.WebSocketServer = new WebSocketServer({ noServer: true });

/** As socket.io-msgpack-parser declares itself. */
declare const parser: {
  Encoder: new () => { encode(packet: unknown): ArrayBuffer };
  Decoder: new () => { add(message: unknown): void };
};
export const withParser = [new Server({ parser }), io({ parser })];

// What is imported of several doors fits together, in browsers too.
const chat = defineContract({ clientToServer: { leave: [] } });
withContract(io('http://localhost:3000'), chat).emit('leave');
interface Asks {
  search: (words: string) => AsyncIterable<number>;
}
const streams = withStreams(io('http://localhost:3000') as ClientSocket<Record<never, never>, Asks>);
streams.stream('search', 'red');
// @ts-expect-error: no such stream, so the types of the socket were not lost on the way
streams.stream('nonsense', 'red');
