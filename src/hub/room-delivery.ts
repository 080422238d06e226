/**
 * What: sends one event to sockets that are named one by one, encoded once for all of them.
 * Must not know: rooms, stores, or why these sockets get it.
 */
import { type EventArguments, type EventPacket, PacketType } from '../wire/events/packet.ts';
import type { AnyNamespace } from './namespace.ts';
import type { AnySocket } from './socket.ts';

/** Sends an event, its name first, to sockets of this server. Not kept for connection state recovery. */
export function deliver(nsp: AnyNamespace, sockets: Iterable<AnySocket>, data: EventArguments): void {
  const packet: EventPacket = {
    type: PacketType.event,
    nsp: nsp.name,
    data,
    id: undefined,
    attachments: undefined,
  };
  const packets = nsp.server.encodePacket(packet);
  for (const socket of sockets) socket.deliver(packet, packets, false);
}

/** What a store knows a room of a namespace by. No namespace's name on the wire holds a comma. */
export function channelOf(nsp: AnyNamespace, room: string): string {
  return `${nsp.name},${room}`;
}
