/** What: our classes as a CommonJS module of TypeScript sees them, for types-mixed.mts. */
export type { Server, Socket } from 'tautline';
export type { Socket as ClientSocket } from 'tautline/client';
export type { Server as Engine } from 'tautline/engine';
export type { WebSocketServer } from 'tautline/ws';
