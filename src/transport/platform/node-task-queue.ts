/**
 * What: the task sources of WebSocket and EventSource: runs each task by itself, in order, with all microtasks between two of them.
 * Must not know: what the tasks do.
 */

let tasks: (() => void)[] = [];
let next = 0;
let isScheduled = false;

/**
 * Queues a task from a callback of the network, which is no part of the program's own turn. It runs before Node
 * looks at the network again, so that an answer that is sent in it leaves in the same turn of the event loop.
 */
export function queueNetworkTask(task: () => void): void {
  tasks.push(task);
  if (isScheduled) return;
  isScheduled = true;
  process.nextTick(runNext);
}

/** Queues a task from a call by the program: it runs when that turn, with its microtasks, is over. */
export function queueTask(task: () => void): void {
  tasks.push(task);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(runNext);
}

function runNext(): void {
  const task = tasks[next++]!;
  try {
    task();
  } finally {
    // Also behind the last one: another may be queued in the same round of ticks, before any microtask has run.
    queueMicrotask(scheduleNext);
  }
}

/** A tick that is asked for in a microtask comes when all microtasks are done: the checkpoint between tasks. */
function scheduleNext(): void {
  if (next < tasks.length) {
    process.nextTick(runNext);
  } else {
    tasks = [];
    next = 0;
    isScheduled = false;
  }
}
