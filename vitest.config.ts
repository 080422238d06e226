import { defineConfig } from 'vitest/config';

/** One project a kind of test, so that each can be run alone: `npx vitest run --project unit`. */
const project = (name: string, options: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    environment: 'node',
    pool: 'forks' as const,
    ...options,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit'),
      project('contract', { testTimeout: 30_000, hookTimeout: 30_000 }),
      project('fuzz', { testTimeout: 60_000 }),
      project('simulation', { testTimeout: 60_000 }),
      project('integration', { testTimeout: 30_000, hookTimeout: 30_000 }),
      project('interop', { testTimeout: 30_000, hookTimeout: 30_000 }),
      project('browser', { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false }),
    ],
  },
});
