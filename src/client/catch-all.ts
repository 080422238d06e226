/**
 * What: listeners for every event, whatever its name.
 * Must not know: which events there are, or in which direction they go.
 */

type Listener = (event: never, ...args: never[]) => void;

/** Listeners that are told every event, in order. */
export class CatchAll {
  list: Listener[] = [];

  remove(listener: Listener | undefined): void {
    if (!listener) this.list = [];
    else if (this.list.includes(listener)) this.list.splice(this.list.indexOf(listener), 1);
  }

  call(socket: unknown, args: readonly unknown[]): void {
    for (const listener of [...this.list]) listener.apply(socket, args as never);
  }
}
