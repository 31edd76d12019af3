import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "tests/run_python.ts",
    maxWorkers: 2, // the microphone of Chromium needs some of the processor
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
