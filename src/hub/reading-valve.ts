/**
 * What: holds up what a client sends while somebody on the server cannot take more of it.
 * Must not know: who that is, or how a transport stops reading.
 */
import type { Valve } from '../streams/event-socket.ts';
import type { Client } from './client.ts';

const valves = new WeakMap<Client, Valve>();

/** The valve of a client. It is open when everybody who held it has let go. */
export function valveOf(client: Client): Valve {
  let valve = valves.get(client);
  if (valve === undefined) {
    let holders = 0;
    valve = {
      hold() {
        if (holders++ === 0) client.peer.holdReading?.(true);
      },
      release() {
        if (--holders === 0) client.peer.holdReading?.(false);
      },
    };
    valves.set(client, valve);
  }
  return valve;
}
