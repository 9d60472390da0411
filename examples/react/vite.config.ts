import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";
import { withEventSource } from "../../packages/react/tests/node.ts";

// One script and one stylesheet under fixed names: a Blade view can include them by hand, without Laravel's Vite plugin.
export default defineConfig({
  // The package as it is written, not as it was built last.
  resolve: { conditions: ["@agent-workers/source", ...defaultClientConditions] },
  ssr: { resolve: { conditions: ["@agent-workers/source", ...defaultServerConditions] } },
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
    setupFiles: "../../packages/react/tests/setup.ts",
    testTimeout: 10_000,
    execArgv: withEventSource,
  },
});
