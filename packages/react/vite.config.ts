import { defineConfig } from "vitest/config";
import { withEventSource } from "./tests/node.ts";

export default defineConfig({
  test: {
    environment: "jsdom",
    setupFiles: "tests/setup.ts",
    testTimeout: 120_000,
    execArgv: withEventSource,
  },
});
