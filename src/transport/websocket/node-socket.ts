/**
 * What: leads the events of Node sockets to their connections, by one function an event for all sockets.
 * Must not know: frames, or what a connection does with an event.
 */
import type { Duplex } from 'node:stream';

/** Who is told what happens to a socket. */
export interface SocketOwner {
  socketReceived(chunk: Uint8Array): void;
  /** The peer has ended its side. */
  socketReceivedEnd(): void;
  socketFailed(error: Error): void;
  /** What was written has been taken; only after {@link expectDrain}. */
  socketDrained(): void;
  /** Last. */
  socketClosed(): void;
}

// A closure per connection and event would cost more than all else that an idle connection holds.
const kOwner = Symbol('tautline.owner');
type OwnedSocket = Duplex & { [kOwner]?: SocketOwner };

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  this[kOwner]!.socketReceived(chunk);
}
function onEnd(this: OwnedSocket): void {
  this[kOwner]!.socketReceivedEnd();
}
function onError(this: OwnedSocket, error: Error): void {
  this[kOwner]!.socketFailed(error);
}
function onClose(this: OwnedSocket): void {
  this[kOwner]!.socketClosed();
}
function onDrain(this: OwnedSocket): void {
  this.removeListener('drain', onDrain);
  this[kOwner]!.socketDrained();
}

/** Tells `owner` from now on; the socket begins to flow unless it is paused. */
export function bindSocket(socket: OwnedSocket, owner: SocketOwner): void {
  socket[kOwner] = owner;
  socket.on('close', onClose);
  socket.on('end', onEnd);
  socket.on('error', onError);
  socket.on('data', onData);
}

/** Whether a socket has an owner already. */
export function isBound(socket: OwnedSocket): boolean {
  return socket[kOwner] !== undefined;
}

/** Tells nothing more of what is read. Errors are still heard, since nobody else would. */
export function unbindSocket(socket: OwnedSocket): void {
  socket.removeListener('data', onData);
  socket.removeListener('end', onEnd);
}

/** Tells once when what was written has been taken. */
export function expectDrain(socket: OwnedSocket): void {
  socket.on('drain', onDrain);
}
