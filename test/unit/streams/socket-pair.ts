/**
 * What: two sockets that hand each other their events, written down; a microtask later, as a network would later.
 * Must not know: what is said.
 */
import { EventEmitter } from 'node:events';
import type { EventSocket } from '../../../src/streams/event-socket.ts';

type Listener = (...args: unknown[]) => void;

/** One end. */
export class PairedSocket implements EventSocket {
  readonly emitter = new EventEmitter();
  /** What was sent from here. */
  readonly sent: unknown[][] = [];
  other: PairedSocket | null = null;

  on(event: string, listener: Listener): void {
    this.emitter.on(event, listener);
  }

  off(event: string, listener: Listener): void {
    this.emitter.off(event, listener);
  }

  emit(event: string, ...args: unknown[]): void {
    // What cannot be written is found here, as in a real socket.
    const packet = JSON.parse(JSON.stringify([event, ...args])) as [string, ...unknown[]];
    this.sent.push(packet);
    queueMicrotask(() => this.other?.emitter.emit(...packet));
  }

  /** An event comes, without a peer. */
  receive(event: string, ...args: unknown[]): void {
    this.emitter.emit(event, ...args);
  }
}

/** Two sockets that are connected. */
export function socketPair(): [PairedSocket, PairedSocket] {
  const pair: [PairedSocket, PairedSocket] = [new PairedSocket(), new PairedSocket()];
  pair[0].other = pair[1];
  pair[1].other = pair[0];
  return pair;
}

/** Lets everything that is on its way come. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
