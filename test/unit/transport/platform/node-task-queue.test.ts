import { describe, expect, it } from 'vitest';
import { queueNetworkTask, queueTask } from '../../../../src/transport/platform/node-task-queue.ts';

/** Runs in a turn of its own, as a callback of the network does. */
const inTurn = (run: () => void) => new Promise<void>((resolve) => setImmediate(() => resolve(run())));
const noteDeep = (log: string[], name: string) => {
  queueMicrotask(() => {
    log.push(`${name}1`);
    void Promise.resolve().then(() => Promise.resolve().then(() => log.push(`${name}2`)));
  });
};

describe('the task queue', () => {
  it('runs every task by itself: all microtasks of one are done before the next', async () => {
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      void inTurn(() => {
        for (const name of ['a', 'b', 'c']) {
          queueNetworkTask(() => {
            log.push(name);
            noteDeep(log, name);
          });
        }
        queueNetworkTask(resolve);
        log.push('sync');
      });
    });
    expect(log).toEqual(['sync', 'a', 'a1', 'a2', 'b', 'b1', 'b2', 'c', 'c1', 'c2']);
  });

  it('runs a task that was queued by the last task after its microtasks', async () => {
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      void inTurn(() =>
        queueNetworkTask(() => {
          noteDeep(log, 'a');
          queueNetworkTask(() => {
            log.push('b');
            resolve();
          });
        }),
      );
    });
    expect(log).toEqual(['a1', 'a2', 'b']);
  });

  it('runs a task that another tick of the same round queued after the microtasks of the task before', async () => {
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      void inTurn(() => {
        queueNetworkTask(() => noteDeep(log, 'a'));
        process.nextTick(() =>
          queueNetworkTask(() => {
            log.push('b');
            resolve();
          }),
        );
      });
    });
    expect(log).toEqual(['a1', 'a2', 'b']);
  });

  it('runs a task that a call queued when the turn of the caller is over', async () => {
    const log: string[] = [];
    const done = new Promise<void>((resolve) => {
      queueTask(() => {
        log.push('task');
        resolve();
      });
    });
    process.nextTick(() => log.push('tick'));
    noteDeep(log, 'm');
    await done;
    expect(log.slice(0, -1).sort()).toEqual(['m1', 'm2', 'tick']);
    expect(log.at(-1)).toBe('task');
  });

  it('keeps the order of both kinds', async () => {
    const log: number[] = [];
    await new Promise<void>((resolve) => {
      queueTask(() => log.push(1));
      queueNetworkTask(() => log.push(2));
      queueTask(() => log.push(3));
      queueNetworkTask(resolve);
    });
    expect(log).toEqual([1, 2, 3]);
  });
});
