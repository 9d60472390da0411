import { defineConfig } from "vitest/config";

/** Node's own EventSource, for the tests that resume through it, as long as it hides behind a flag. */
const flag = "--experimental-eventsource";
const withEventSource = process.allowedNodeEnvironmentFlags.has(flag) ? [flag, "--disable-warning=UNDICI-ES"] : [];

// One script and one stylesheet under fixed names: a Blade view can include them by hand, without Laravel's Vite plugin.
export default defineConfig({
  build: {
    target: "es2022",
    manifest: false,
    modulePreload: false,
    cssCodeSplit: false,
    rolldownOptions: {
      input: "src/main.tsx",
      output: {
        format: "iife",
        entryFileNames: "agent-chat.js",
        assetFileNames: "agent-chat.[ext]",
      },
    },
  },
  test: {
    environment: "jsdom",
    setupFiles: "tests/setup.ts",
    testTimeout: 10_000,
    execArgv: withEventSource,
  },
});
