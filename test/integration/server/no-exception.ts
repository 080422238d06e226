/**
 * What: lets a test fail when an exception went uncaught while it ran.
 * Must not know: what is tested.
 */
import { afterEach, beforeEach, expect, vi } from 'vitest';

/** To be called once in a file, outside of its tests. */
export function expectNoException(): void {
  const uncaught = vi.fn();
  beforeEach(() => {
    uncaught.mockReset();
    process.on('uncaughtException', uncaught);
  });
  afterEach(() => {
    process.off('uncaughtException', uncaught);
    expect(uncaught).not.toHaveBeenCalled();
  });
}
