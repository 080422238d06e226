/**
 * What: the exceptions that code leaves to the platform.
 * Must not know: who throws them.
 */
import { vi } from 'vitest';

/** Runs something, and what it defers to the end of the turn at once. @returns what that threw. */
export function exceptionsOf(run: () => void): unknown[] {
  const thrown: unknown[] = [];
  const tasks = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => {
    try {
      task();
    } catch (error) {
      thrown.push(error);
    }
  });
  run();
  tasks.mockRestore();
  return thrown;
}
