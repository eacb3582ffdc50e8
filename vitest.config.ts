import { defineConfig } from "vitest/config";

const SECOND_MS = 1000;

/** One project per test level; CONTRIBUTING.md says what each level may touch. */
const level = (name: string, timeoutMs: number, oneAtATime: boolean) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    ...(oneAtATime ? { fileParallelism: false } : {}),
  },
});

export default defineConfig({
  test: {
    projects: [
      level("unit", 10 * SECOND_MS, false),
      level("integration", 60 * SECOND_MS, true),
      level("fuzz", 300 * SECOND_MS, true),
      level("e2e", 240 * SECOND_MS, true),
    ],
  },
});
