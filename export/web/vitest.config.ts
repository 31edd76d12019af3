import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    fileParallelism: false, // the tests of speed want the processor for themselves
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
