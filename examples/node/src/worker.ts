#!/usr/bin/env node
/** A worker for chats: one request comes in on stdin, one stream of events goes out on stdout. */

import { readFileSync, writeSync } from "node:fs";
import type { ChatRequest } from "./contract.ts";
import { Agent } from "./agent.ts";
import { Asked } from "./asked.ts";
import { failed, Failure } from "./ending.ts";
import { accepted, lines, message, parsed, Refusal } from "./input.ts";
import { Output, type Terminal } from "./output.ts";

const about = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const control = process.argv.includes("--control");
const simulator = /^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?\/simulated\/?$/;
const simulated = simulator.test(process.env.ANTHROPIC_BASE_URL ?? "");
const output = new Output(() => void leave(4, false));
const asked = new Asked(output);
let agent: Agent | undefined;
let echoed = {};
let over = false;

for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => end({ type: "aborted", reason: "signal" }));
process.stderr.on("error", () => {}); // nobody may read it
process.on("uncaughtException", (error) => end(failed("internal"), error));
if (process.argv.some((word) => word.startsWith("--doctor"))) {
  writeSync(1, '{"status": "ok", "checks": []}\n'); // whoever reads this knows that the program can be run
  process.exit();
}
await main();

async function main(): Promise<void> {
  const input = lines();
  try {
    const request = read(control ? (await input.next()).value : Buffer.concat(await whole(input)));
    if (process.argv.some((word) => word.startsWith("--simulate")) && !simulated) throw new Refusal("invalid_request", [
      { pointer: "", message: "cannot be simulated: set ANTHROPIC_BASE_URL to the address of agent-workers simulate" },
    ]);
    const { metadata, subject, user, goal, attempt = 1, traceparent } = request;
    echoed = defined({ metadata, subject, user, goal });
    output.emit({
      type: "start", worker: about.name, worker_version: about.version, engine: "agent", simulated,
      sdk_version: about.dependencies["@anthropic-ai/claude-agent-sdk"], ...echoed,
      ...defined({ attempt: attempt > 1 ? attempt : undefined, traceparent }),
    });
    if (control) void obey(input, request);
    agent = new Agent(output, asked, request);
    watch(agent, request);
    end(await agent.run());
  } catch (error) {
    if (error instanceof Refusal) refuse(error);
    else end(failed(error instanceof Failure ? error.code : "internal"), error);
  }
}

async function whole(input: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const read: Buffer[] = [];
  for await (const line of input) read.push(line, Buffer.from("\n"));
  return read;
}

function read(bytes: Buffer | void): ChatRequest {
  try {
    const document = parsed(bytes ?? Buffer.alloc(0));
    if (typeof document.run === "string" && /^[\w.:-]{1,128}$/.test(document.run)) output.run = document.run;
    return accepted(document, control);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === "unsupported_version") throw error;
    throw new Refusal("invalid_request", error.problems);
  }
}

/** A refused request has its error line alone. */
function refuse({ code, problems }: Refusal): void {
  over = true;
  output.emit(failed(code, problems.length > 0 ? { details: problems } : {}));
  void leave(2, false);
}

/** Answers each message on stdin. Its end means that whoever started the run is gone. */
async function obey(input: AsyncIterable<Buffer>, request: ChatRequest): Promise<void> {
  for await (const line of input) {
    if (over) return;
    let id: unknown;
    try {
      const document = parsed(line);
      id = document.id;
      const said = message(document);
      if (said.type === "abort") {
        output.emit({ type: "ack", id: said.id, ok: true });
        return end({ type: "aborted", reason: "client" });
      }
      if (said.type === "steer" && agent) {
        agent.steering.take(said);
        continue;
      }
      if (said.type === "steer" || said.type === "permission") throw new Refusal("not_pending");
      const code = asked.take(said, request.stream?.tool_output ?? false);
      if (code) throw new Refusal(code);
    } catch (error) {
      const code = error instanceof Refusal ? error.code : "invalid_message";
      if (typeof id === "string" && id.length > 0 && id.length <= 128) output.emit({ type: "ack", id, ok: false, code });
      else output.emit({ type: "notice", level: "warning", code, message: "A line on stdin changed nothing." });
    }
  }
  end({ type: "aborted", reason: "parent_gone" });
}

/** Ends the run at its limits, and tells the reader in a long silence that it still goes on. */
function watch(agent: Agent, { limits, stream }: ChatRequest): void {
  const started = Date.now();
  const passed = (since: number, seconds: number) => Date.now() - since >= seconds * 1000;
  setInterval(() => {
    if (over) return;
    if (asked.waiting) agent.heardAt = Date.now();
    if (passed(started, limits?.timeout_s ?? 300)) return end(failed("timeout"));
    if (passed(agent.heardAt, limits?.idle_timeout_s ?? 120)) return end(failed("idle_timeout"));
    if (passed(output.wroteAt, stream?.ping_s ?? 10)) output.ping();
  }, 50);
}

/** Tells the end, once, and then stops what still runs. */
function end(terminal: Terminal, cause?: unknown): void {
  if (over) return;
  over = true;
  if (cause) process.stderr.write(`${terminal.type}: ${cause instanceof Error ? (cause.cause ?? cause) : "unknown"}\n`);
  asked.abort();
  agent?.steering.end();
  output.emit({ ...terminal, ...echoed });
  const failure = terminal.type === "error" ? (terminal.retryable ? 75 : 1) : 3;
  void leave(terminal.type === "done" ? 0 : failure, terminal.type === "done");
}

async function leave(status: number, leisurely: boolean): Promise<void> {
  over = true;
  await agent?.stop(leisurely);
  process.exit(status);
}

function defined(fields: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
