/**
 * What: shows by compiling that programs extend our adapters as they do socket.io's, and give them to a server.
 * Must not know: anything at run time; nothing here runs.
 */
import {
  Adapter,
  type BroadcastOptions,
  ClusterAdapter,
  ClusterAdapterWithHeartbeat,
  type ClusterMessage,
  type ClusterResponse,
  MessageType,
  type Session,
  type SessionToPersist,
} from '../../src/entry/adapter.ts';
import { type Namespace, Server } from '../../src/entry/index.ts';
import { expectType, type Same } from './expect-type.ts';

class Kept extends Adapter {
  override persistSession(session: SessionToPersist): void {
    expectType<Same<typeof session.rooms, string[]>>();
  }
  override restoreSession(pid: string, offset: string): Promise<Session | null> {
    return super.restoreSession(pid, offset);
  }
  override fetchSockets(opts: BroadcastOptions) {
    expectType<Same<typeof opts.rooms, Set<string>>>();
    return super.fetchSockets(opts);
  }
}

class Bus extends ClusterAdapterWithHeartbeat {
  constructor(nsp: Namespace) {
    super(nsp, { heartbeatInterval: 1000 });
  }
  protected override async doPublish(message: ClusterMessage): Promise<string> {
    if (message.type === MessageType.BROADCAST) expectType<Same<typeof message.data.opts.rooms, string[]>>();
    // @ts-expect-error a heartbeat carries nothing
    if (message.type === MessageType.HEARTBEAT) message.data;
    return message.uid;
  }
  protected override async doPublishResponse(uid: string, response: ClusterResponse): Promise<void> {
    if (response.type === MessageType.BROADCAST_CLIENT_COUNT) {
      expectType<Same<typeof response.data.clientCount, number>>();
    }
    expectType<Same<typeof uid, string>>();
  }
}

// @ts-expect-error it says neither how to publish nor how to answer
export class Unfinished extends ClusterAdapter {}

export const servers = [
  new Server({ adapter: Kept }),
  new Server({ adapter: Bus }),
  new Server({ adapter: (nsp) => new Bus(nsp) }),
  // @ts-expect-error a server has no rooms of its own
  new Server({ adapter: Server }),
];
