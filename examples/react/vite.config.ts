import { fileURLToPath } from "node:url";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";
import { withEventSource } from "../../packages/react/tests/node.ts";

const HARMLESS = ["EMPTY_IMPORT_META", "MODULE_LEVEL_DIRECTIVE"];

// One script and one stylesheet under fixed names: a Blade view can include them by hand, without Laravel's Vite plugin.
export default defineConfig({
  // The package as it is written, not as it was built last.
  resolve: {
    conditions: ["@agent-workers/source", ...defaultClientConditions],
    // What reads HTML: Streamdown names it among its defaults, and the pages leave it out.
    alias: { "rehype-raw": fileURLToPath(new URL("src/nothing.ts", import.meta.url)) },
  },
  ssr: { resolve: { conditions: ["@agent-workers/source", ...defaultServerConditions] } },
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    manifest: false,
    modulePreload: false,
    cssCodeSplit: false,
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      // Of Streamdown: what it loads on demand is in the one script, and React's servers are not asked.
      onLog: (level, log, tell) => HARMLESS.includes(log.code ?? "") || tell(level, log),
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
    testTimeout: 120_000,
    execArgv: withEventSource,
  },
});
