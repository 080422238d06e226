/**
 * What: the two implementations side by side, `ws` and `tautline/ws`, and a journal that compares what they do.
 * Must not know: single scenarios.
 */
import * as theirs from 'ws';
import * as ours from '../../../src/entry/ws.ts';

/** What scenarios use of either implementation; typed as ours. */
export interface Implementation {
  readonly name: 'ws' | 'tautline';
  readonly WebSocket: typeof ours.WebSocket;
  readonly WebSocketServer: typeof ours.WebSocketServer;
  readonly createWebSocketStream: typeof ours.createWebSocketStream;
}

export const ws: Implementation = {
  name: 'ws',
  WebSocket: theirs.WebSocket as unknown as typeof ours.WebSocket,
  WebSocketServer: theirs.WebSocketServer as unknown as typeof ours.WebSocketServer,
  createWebSocketStream: theirs.createWebSocketStream as unknown as typeof ours.createWebSocketStream,
};

export const tautline: Implementation = { name: 'tautline', ...ours };

/** Who plays client and who plays server. The first is the reference. */
export const pairings = [
  { client: ws, server: ws },
  { client: tautline, server: tautline },
  { client: tautline, server: ws },
  { client: ws, server: tautline },
] as const;

/** Notes what is observed, in order, in a form that can be compared. */
export class Journal {
  readonly lines: string[] = [];

  note(...what: unknown[]): void {
    this.lines.push(what.map(describe).join(' '));
  }
}

function describe(value: unknown): string {
  if (value instanceof Error) {
    const { code } = value as { code?: unknown };
    return `${value.constructor.name}(${value.message}${code === undefined ? '' : `, ${String(code)}`})`;
  }
  if (Buffer.isBuffer(value)) return `Buffer(${printable(value)})`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${printable(Buffer.from(value))})`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) return value.constructor.name;
  return String(value);
}

function printable(bytes: Buffer): string {
  return bytes.length > 64 ? `${bytes.length} bytes` : bytes.toString('latin1');
}
