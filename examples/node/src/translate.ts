/** The agent's messages as events. */

import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { ChatRequest } from "./contract.ts";
import { codeOf } from "./ending.ts";
import type { Output } from "./output.ts";

type Of<T extends SDKMessage["type"]> = Extract<SDKMessage, { type: T }>;
type StreamEvent = Of<"stream_event">["event"];
/** How the CLI ends a message that has broken off: the next one replaces these blocks. */
type Broken = { abandoned_blocks?: { from_block_index?: number } };

export class Translator {
  /** The final answer's text, by the numbers of its blocks. */
  readonly texts = new Map<number, string>();
  /** The calls of tools that the reader knows of. */
  readonly called = new Map<string, PromiseWithResolvers>();
  /** The calls that have no result yet. */
  readonly calling = new Set<string>();
  sessionId: string | undefined;
  /** What the CLI calls the failure of the last call of the API. */
  apiError: string | undefined;
  readonly #output: Output;
  readonly #request: ChatRequest;
  #count = 0;
  /** The blocks of the message that the model is writing, by their index in it. */
  #open = new Map<number, { block: number; kind: string; held: string }>();
  #streamed = new Set<string>();
  #refused = false;

  constructor(output: Output, request: ChatRequest) {
    this.#output = output;
    this.#request = request;
  }

  /** Waits until the call is told. */
  told(toolUseId: string): Promise<void> {
    return this.#call(toolUseId).promise;
  }

  take(message: SDKMessage): void {
    if (message.type === "stream_event") this.#stream(message.event, message as Broken);
    else if (message.type === "assistant") this.#assistant(message);
    else if (message.type === "user") this.#results(message.message.content);
    else if (message.type === "system" && message.subtype === "init") this.#session(message);
    else if (message.type === "system" && message.subtype === "api_retry") {
      this.#discard();
      const { attempt, max_retries: max_attempts, retry_delay_ms, error_status: http_status, error } = message;
      const [delay_ms, code] = [Math.round(retry_delay_ms), codeOf(error, http_status)];
      this.#output.emit({ type: "retry", attempt, max_attempts, delay_ms, code, ...(http_status && { http_status }) });
    }
  }

  #session({ session_id, model, claude_code_version: cli_version, tools }: Of<"system"> & { subtype: "init" }): void {
    if (this.sessionId) return; // it comes again in each turn
    this.sessionId = session_id;
    const resumed = "resume" in (this.#request.session ?? {});
    this.#output.emit({ type: "session", session_id, model, cli_version, tools, resumed });
  }

  #stream(event: StreamEvent, { abandoned_blocks: abandoned }: Broken): void {
    if (event.type === "message_start") {
      this.#discard();
      this.#refused = false;
      this.#streamed.add(event.message.id);
    } else if (event.type === "content_block_start") {
      this.#open.set(event.index, { block: ++this.#count, kind: event.content_block.type, held: "" });
    } else if (event.type === "content_block_delta") {
      const { delta } = event;
      if (delta.type === "text_delta") this.#say(event.index, delta.text);
      else if (delta.type === "thinking_delta") this.#say(event.index, delta.thinking);
    } else if (event.type === "content_block_stop") {
      const open = this.#open.get(event.index);
      if (open?.held) this.#tell(open.block, open.kind, open.held);
    } else if (event.type === "message_delta") {
      this.#refused = event.delta.stop_reason === "refusal";
    } else if (event.type === "message_stop" && !this.#refused) { // what a refusal has cut is asked for once more
      const kept = abandoned?.from_block_index ?? Number.MAX_SAFE_INTEGER;
      for (const index of this.#open.keys()) if (index < kept) this.#open.delete(index);
    }
  }

  #say(index: number, text: string): void {
    const open = this.#open.get(index);
    if (!open) return;
    if (this.#request.stream?.partial === false) open.held += text;
    else this.#tell(open.block, open.kind, text);
  }

  #tell(block: number, kind: string, said: string): void {
    const text = said.toWellFormed();
    if (kind === "text") {
      this.texts.set(block, (this.texts.get(block) ?? "") + text);
      this.#output.emit({ type: "delta", text, block });
    } else if (kind === "thinking" && this.#request.thinking) {
      this.#output.emit({ type: "thinking", text, block });
    }
  }

  /** Takes back what the model had said in a message that has no end. */
  #discard(): void {
    const blocks = [...this.#open.values()].map(({ block }) => block).filter((block) => this.texts.delete(block));
    this.#open.clear();
    if (blocks.length > 0) this.#output.emit({ type: "discard", blocks, reason: "retry" });
  }

  #assistant({ message, error }: Of<"assistant">): void {
    this.apiError = error ?? this.apiError;
    if (error || message.model === "<synthetic>") return; // the result tells of a failure
    for (const block of message.content) {
      if (block.type === "text" && !this.#streamed.has(message.id)) this.#tell(++this.#count, "text", block.text);
      if (block.type !== "tool_use" || block.name === "StructuredOutput") continue;
      this.texts.clear(); // what was said before is not the final answer
      const input = block.input as Record<string, unknown>;
      this.#output.emit({ type: "tool_call", tool_use_id: block.id, name: block.name, input });
      this.calling.add(block.id);
      this.#call(block.id).resolve();
    }
  }

  #results(content: Of<"user">["message"]["content"]): void {
    if (typeof content === "string") return; // the CLI's own words, not for the user
    for (const block of content) {
      if (block.type !== "tool_result" || !this.called.has(block.tool_use_id)) continue;
      const parts = typeof block.content === "string" ? [{ type: "text", text: block.content }] : (block.content ?? []);
      const text = parts.map((part) => ("text" in part ? part.text : `[${part.type}]`)).join("\n");
      this.calling.delete(block.tool_use_id);
      const status = block.is_error ? "error" : "ok";
      this.#output.emit({ type: "tool_result", tool_use_id: block.tool_use_id, status, content: text });
    }
  }

  #call(toolUseId: string): PromiseWithResolvers {
    const known = this.called.get(toolUseId) ?? withResolvers();
    this.called.set(toolUseId, known);
    return known;
  }
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve: () => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
