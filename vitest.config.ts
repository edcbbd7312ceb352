import { defineConfig } from 'vitest/config';

/**
 * Projects by what a test needs: `unit` nothing but Node, `docker` a Docker Engine, `kubectl` an engine and kubectl.
 * The suffix of a file says it: x.test.ts, x.docker.test.ts, x.kubectl.test.ts.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.docker.test.ts', 'test/**/*.kubectl.test.ts'],
          pool: 'threads',
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'docker',
          include: ['test/**/*.docker.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'kubectl',
          include: ['test/**/*.kubectl.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
