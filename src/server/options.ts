/**
 * What: every option of `Server`, and the kinds of HTTP servers that it takes.
 * Must not know: what is done with them.
 */
import type { Server as HttpServer } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type {
  AttachOptions as EngineAttachOptions,
  ServerOptions as EngineOptions,
} from '../engine/server/options.ts';
import type { HubOptions } from '../hub/hub.ts';

/** What a `Server` can be attached to. */
export type TServerInstance = HttpServer | HttpsServer | Http2SecureServer | Http2Server;

/** Programs build their options step by step, as Socket.IO's types allow. */
type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** All options of `Server`; each has a default. */
export interface ServerOptions extends HubOptions, Mutable<EngineOptions>, Mutable<EngineAttachOptions> {
  /** Under which path the server answers; `/socket.io` by default. */
  path: string;
  /** Whether the client script is given out at the path; true by default. */
  serveClient: boolean;
  /** The same as `maxHttpBufferSize`, in bytes. */
  maxPayload?: number;
}
