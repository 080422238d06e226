/**
 * What: a manager on a scripted platform, and the few words by which a test plays the server.
 * Must not know: which test uses it.
 */
import { Manager } from '../../../src/client/manager.ts';
import type { ManagerOptions } from '../../../src/client/options.ts';
import { type ScriptedPlatform, scriptedPlatform, turn } from '../engine/client/scripted.ts';

export interface Scene {
  readonly manager: Manager;
  readonly platform: ScriptedPlatform;
  /** The manager's events since the scene began. */
  readonly events: unknown[][];
  /** Socket.IO packets that the client has sent on the transport in use. */
  readonly sent: (string | Uint8Array)[];
  /** The server opens the session. */
  open(handshake?: object): Promise<void>;
  /** The server sends a Socket.IO packet. */
  say(...packets: (string | Uint8Array)[]): Promise<void>;
  /** Opens the session and lets a namespace in. */
  connect(sid?: string, data?: object): Promise<void>;
  /** The connection breaks. */
  break(): Promise<void>;
}

/** Only WebSocket, so that nothing is upgraded; the rest as the program has it. */
export function scene(opts: Partial<ManagerOptions> = {}): Scene {
  const platform = scriptedPlatform(['websocket']);
  const manager = new Manager(platform, 'http://localhost', { randomizationFactor: 0, ...opts });
  const events: unknown[][] = [];
  for (const name of [
    'open',
    'error',
    'close',
    'ping',
    'reconnect',
    'reconnect_attempt',
    'reconnect_error',
    'reconnect_failed',
  ] as const) {
    manager.on(name, (...args: unknown[]) => events.push([name, ...args]));
  }
  return {
    manager,
    platform,
    events,
    get sent() {
      return platform.last.sent.map((each) => (typeof each === 'string' ? each.slice(1) : each));
    },
    async open(handshake) {
      platform.last.shakeHands(handshake);
      await turn();
    },
    async say(...packets) {
      for (const packet of packets) platform.last.receive(typeof packet === 'string' ? `4${packet}` : packet);
      await turn();
    },
    async connect(sid = 'socket-1', data = {}) {
      await this.open();
      await this.say(`0${JSON.stringify({ sid, ...data })}`);
    },
    async break() {
      platform.last.end({ by: 'byPeer' });
      await turn();
    },
  };
}
