/**
 * What: what the servers of one cluster say to each other about a namespace, as adapters for Socket.IO carry it.
 * Must not know: what carries the messages, or what is done on receiving them (cluster-adapter.ts).
 */
import type { BroadcastFlags, BroadcastOptions, Room } from './adapter.ts';

/** Identifies a server of the cluster, for one namespace. */
export type ServerId = string;
/** Identifies a message in the log of the cluster, for connection state recovery. */
export type Offset = string;

/** The kinds of messages; the values are those of socket.io-adapter, so that both can be in one cluster. */
export const MessageType = {
  INITIAL_HEARTBEAT: 1,
  HEARTBEAT: 2,
  BROADCAST: 3,
  SOCKETS_JOIN: 4,
  SOCKETS_LEAVE: 5,
  DISCONNECT_SOCKETS: 6,
  FETCH_SOCKETS: 7,
  FETCH_SOCKETS_RESPONSE: 8,
  SERVER_SIDE_EMIT: 9,
  SERVER_SIDE_EMIT_RESPONSE: 10,
  BROADCAST_CLIENT_COUNT: 11,
  BROADCAST_ACK: 12,
  ADAPTER_CLOSE: 13,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** To whom something goes, as it travels. */
export interface EncodedOptions {
  rooms: Room[];
  except: Room[];
  flags: BroadcastFlags;
}

/** What a message asks for. */
export type ClusterRequest =
  | {
      type:
        | typeof MessageType.INITIAL_HEARTBEAT
        | typeof MessageType.HEARTBEAT
        | typeof MessageType.ADAPTER_CLOSE;
    }
  | {
      type: typeof MessageType.BROADCAST;
      data: { opts: EncodedOptions; packet: unknown; requestId?: string };
    }
  | {
      type: typeof MessageType.SOCKETS_JOIN | typeof MessageType.SOCKETS_LEAVE;
      data: { opts: EncodedOptions; rooms: Room[] };
    }
  | { type: typeof MessageType.DISCONNECT_SOCKETS; data: { opts: EncodedOptions; close?: boolean } }
  | { type: typeof MessageType.FETCH_SOCKETS; data: { opts: EncodedOptions; requestId: string } }
  | { type: typeof MessageType.SERVER_SIDE_EMIT; data: { packet: unknown[]; requestId?: string } };

/** What a server answers. */
export type ClusterAnswer =
  | { type: typeof MessageType.FETCH_SOCKETS_RESPONSE; data: { requestId: string; sockets: unknown[] } }
  | { type: typeof MessageType.SERVER_SIDE_EMIT_RESPONSE; data: { requestId: string; packet: unknown } }
  | { type: typeof MessageType.BROADCAST_CLIENT_COUNT; data: { requestId: string; clientCount: number } }
  | { type: typeof MessageType.BROADCAST_ACK; data: { requestId: string; packet: unknown } };

/** Who says it, and of which namespace. */
interface Origin {
  uid: ServerId;
  nsp: string;
}

/** To all other servers. */
export type ClusterMessage = Origin & ClusterRequest;
/** To the server that has asked. */
export type ClusterResponse = Origin & ClusterAnswer;

/** As it travels: sets become lists. */
export function encodeOptions({ rooms, except, flags }: BroadcastOptions): EncodedOptions {
  return { rooms: [...rooms], except: [...(except ?? [])], flags: flags ?? {} };
}

/** The inverse; of lists that another server may have left out, too. */
export function decodeOptions({ rooms, except, flags }: EncodedOptions): BroadcastOptions {
  return { rooms: new Set(rooms), except: new Set(except), flags };
}
