/** Words to the agent while it works: each goes in with the result of a tool. */

import { randomUUID } from "node:crypto";
import type { SDKMessage, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import type { ChatRequest, SteerMessage } from "./contract.ts";
import type { Output } from "./output.ts";

type UUID = ReturnType<typeof randomUUID>;

export class Steering {
  readonly #output: Output;
  #held: SteerMessage[] = [];
  readonly #sent = new Map<string, SteerMessage>();
  #over = false;
  #wake = () => {};

  constructor(output: Output) {
    this.#output = output;
  }

  /** Whether the agent has words that it may yet make a turn of. */
  get astray(): boolean {
    return this.#sent.size > 0;
  }

  take(word: SteerMessage): void {
    this.#held.push(word);
    this.#wake();
  }

  /** What goes to the agent: the prompt, and words as long as `calling` says that a tool is at work. */
  async *prompt(content: ChatRequest["prompt"], calling: () => boolean): AsyncGenerator<SDKUserMessage> {
    yield said(content);
    while (!this.#over) { // stdin stays open, for there the SDK answers the CLI
      for (const word of calling() ? this.#held.splice(0) : []) {
        const uuid = randomUUID();
        this.#sent.set(uuid, word);
        yield { ...said(word.text, uuid), priority: "next" };
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Follows the agent's messages; tells which words it has read. */
  follow(message: SDKMessage): void {
    const { type, command_uuid, state } = message as { type: string; command_uuid?: string; state?: string };
    const word = type === "command_lifecycle" && state === "started" ? this.#sent.get(command_uuid ?? "") : undefined;
    if (word) {
      this.#sent.delete(command_uuid ?? "");
      this.#output.emit({ type: "ack", id: word.id, ok: true });
      this.#output.emit({ type: "steered", id: word.id, ...(word.actor !== undefined && { actor: word.actor }) });
    }
    this.#wake();
  }

  /** Tells which words came too late. */
  end(): void {
    for (const { id } of [...this.#held, ...this.#sent.values()]) {
      this.#output.emit({ type: "ack", id, ok: false, code: "too_late" });
    }
    this.#over = true;
    this.#wake();
  }
}

function said(content: ChatRequest["prompt"], uuid?: UUID): SDKUserMessage {
  return { type: "user", message: { role: "user", content }, parent_tool_use_id: null, ...(uuid && { uuid }) };
}
