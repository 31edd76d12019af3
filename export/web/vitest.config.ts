import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "tests/run_python.ts",
    fileParallelism: false, // the tests of speed need the processor for themselves
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
