import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

// The reader of the stream as it is written, not as it was built last.
const source = "@agent-workers/source";

// One file under a fixed name, in the Composer package, which publishes it.
export default defineConfig({
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...defaultServerConditions] } },
  build: {
    target: "es2022",
    outDir: "../../php-bridge/resources/dist",
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: {
      input: "src/element.ts",
      output: { format: "es", entryFileNames: "agent-chat-element.js" },
    },
  },
  test: {
    environment: "jsdom",
    testTimeout: 120_000,
  },
});
