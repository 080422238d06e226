/**
 * What: a session whose other side is the test: what the hub sends is written down, what the peer says is given in.
 * Must not know: transports, or what the hub does.
 */
import type { PeerListener } from '../../../src/engine/port.ts';
import { Adapter } from '../../../src/hub/adapter.ts';
import type { ClientConnection } from '../../../src/hub/emitter-peer.ts';
import { Hub, type HubOptions } from '../../../src/hub/hub.ts';
import type { Namespace } from '../../../src/hub/namespace.ts';
import type { Socket } from '../../../src/hub/socket.ts';
import type { OutgoingPacket } from '../../../src/wire/engine/packet.ts';

let count = 0;

/** One client, without any network. */
export class ScriptedPeer implements ClientConnection {
  readonly id = `session-${count++}`;
  isOpen = true;
  isWritable = true;
  /** Whether it reports its end within `close()`; otherwise the test does, with {@link break}. */
  closesAtOnce = true;
  listener: PeerListener | null = null;
  request: ClientConnection['request'];
  /** What was sent, as text or bytes, since the last {@link take}. */
  sent: (string | Uint8Array)[] = [];
  /** The same as instances. */
  packets: OutgoingPacket[] = [];

  sendPackets(packets: readonly OutgoingPacket[]): void {
    for (const packet of packets) {
      this.packets.push(packet);
      this.sent.push(packet.data);
    }
  }

  close(): void {
    this.isOpen = false;
    if (this.closesAtOnce) this.listener?.peerClosed('forced close', undefined);
  }

  /** The peer says something. */
  say(...messages: (string | Uint8Array)[]): this {
    for (const message of messages) this.listener?.peerMessage(message);
    return this;
  }

  /** The connection breaks. */
  break(reason = 'transport close', description?: unknown): void {
    this.isOpen = false;
    this.listener?.peerClosed(reason, description);
  }

  /** What was sent since the last call. */
  take(): (string | Uint8Array)[] {
    const { sent } = this;
    this.sent = [];
    this.packets = [];
    return sent;
  }
}

/** A hub, and a function that connects a peer to it and enters a namespace. */
export function createHub(options: Partial<HubOptions> = {}) {
  const hub = new Hub(options);
  const connect = (): ScriptedPeer => {
    const peer = new ScriptedPeer();
    hub.addConnection(peer);
    return peer;
  };
  const enter = (name = '/', auth?: object): { peer: ScriptedPeer; socket: Socket; nsp: Namespace } => {
    const peer = connect();
    const nsp = hub.of(name);
    const known = new Set(nsp.sockets.keys());
    peer.say(`0${name === '/' ? '' : `${name},`}${auth ? JSON.stringify(auth) : ''}`);
    const socket = [...nsp.sockets.values()].find(({ id }) => !known.has(id));
    if (socket === undefined) throw new Error(`was not let in: ${peer.sent.join()}`);
    peer.take();
    return { peer, socket, nsp };
  };
  return { hub, connect, enter };
}

export { Adapter };
