// Reads recorded frames with the protocols' own code, in the folders FRAMES/ai-sdk and FRAMES/ag-ui: node read.mjs FRAMES
// Writes what their clients make of each run, as JSON: {"ai-sdk": {RUN: …}, "ag-ui": {RUN: …}}.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { HttpAgent } from "@ag-ui/client";
import { EventSchemas } from "@ag-ui/core/schemas";
import { DefaultChatTransport, readUIMessageStream, validateUIMessages } from "ai";

const HEADERS = { "content-type": "text/event-stream; charset=utf-8", "x-vercel-ai-ui-message-stream": "v1" };
const PIECE = 1021; // a network splits frames anywhere

function response(bytes) {
  const body = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += PIECE) controller.enqueue(bytes.subarray(at, at + PIECE));
      controller.close();
    },
  });
  return new Response(body, { headers: HEADERS });
}

function chunks(bytes) {
  const lines = bytes.toString("utf8").split("\n").filter((line) => line.startsWith("data: {"));
  return lines.map((line) => JSON.parse(line.slice(6)));
}

async function readAiSdk(bytes) {
  const transport = new DefaultChatTransport({ fetch: async () => response(bytes) });
  const stream = await transport.sendMessages({ chatId: "c", messages: [], trigger: "submit-message", abortSignal: undefined });
  const errors = [];
  const read = { stream, onError: (error) => errors.push(error.message) };
  let message = null;
  for await (const state of readUIMessageStream(read)) message = state;
  const kept = message?.parts.length ? await validateUIMessages({ messages: [message] }) : [];
  return { message, errors, kept: kept.length, last: chunks(bytes).at(-1) };
}

async function readAgUi(bytes) {
  for (const chunk of chunks(bytes)) EventSchemas.parse(chunk);
  const agent = new HttpAgent({ url: "http://agent.test/" });
  const seen = {};
  globalThis.fetch = async () => response(bytes);
  const failure = await agent
    .runAgent({}, { onRunFinishedEvent: ({ event }) => void (seen.finished = event), onRunErrorEvent: ({ event }) => void (seen.error = event) })
    .then(() => null, (error) => error.message);
  return { messages: agent.messages, failure, ...seen };
}

async function readAll(folder, read) {
  const results = {};
  for (const file of readdirSync(folder).sort()) {
    results[file.replace(/\.sse$/, "")] = await read(readFileSync(join(folder, file))).catch((error) => ({ refused: String(error) }));
  }
  return results;
}

const [frames] = process.argv.slice(2);
console.warn = console.error; // stdout is for the result alone
const results = { "ai-sdk": await readAll(join(frames, "ai-sdk"), readAiSdk), "ag-ui": await readAll(join(frames, "ag-ui"), readAgUi) };
process.stdout.write(JSON.stringify(results));
