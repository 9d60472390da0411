import type { AgentEvent, StopReason, Usage } from "./events";

export interface ToolCall {
  id: string;
  name: string;
  input: Record<string, unknown>;
  /** "running" until its result came. */
  status: "running" | "ok" | "error" | "denied";
  content?: string;
  /** The call that started the subagent which makes this one. */
  parentId?: string;
}

export interface Notice {
  level: "info" | "warning";
  code: string;
  message: string;
}

/** What a run has said and done so far. An absent field is unknown. */
export interface Answer {
  run?: string;
  model?: string;
  sessionId?: string;
  /** True when a simulator or a recording answers instead of a model. */
  simulated?: boolean;
  /** Every delta that was not discarded, concatenated. */
  text: string;
  /** The same text, cut where the model called tools. */
  paragraphs: string[];
  thinking: string;
  toolCalls: ToolCall[];
  notices: Notice[];
  /** Set while a failed call of the API waits for its next attempt. */
  retrying?: { attempt: number; maxAttempts: number; delayMs: number; code: string };
  stopReason?: StopReason;
  /** The JSON value that satisfies the request's `output_schema`. */
  output?: unknown;
  usage?: Usage;
  costUsd?: number;
  durationMs?: number;
}

export const EMPTY: Answer = { text: "", paragraphs: [], thinking: "", toolCalls: [], notices: [] };

interface Block {
  kind: "delta" | "thinking";
  text: string;
  /** How many tools had been called when the block began. */
  paragraph: number;
}

/** Folds a run's events into an `Answer`. Cheap per event: thousands may come between two renders. */
export class Transcript {
  readonly #blocks = new Map<number, Block>();
  #answer: Answer = EMPTY;

  apply(event: AgentEvent): void {
    switch (event.type) {
      case "start":
        return this.#set({ run: event.run, simulated: event.simulated });
      case "session":
        return this.#set({ sessionId: event.session_id, model: event.model });
      case "delta":
      case "thinking":
        return this.#append(event);
      case "discard":
        return event.blocks.forEach((block) => this.#blocks.delete(block));
      case "tool_call":
        return this.#call(event);
      case "tool_result":
        return this.#result(event);
      case "notice":
        return this.#notice(event);
      case "retry":
        return this.#set({
          retrying: {
            attempt: event.attempt,
            maxAttempts: event.max_attempts,
            delayMs: event.delay_ms,
            code: event.code,
          },
        });
      case "done":
      case "error":
      case "aborted":
        return this.#end(event);
    }
  }

  /** The answer as it stands now; a new object that later events leave alone. */
  answer(): Answer {
    const paragraphs: string[] = [];
    let text = "";
    let thinking = "";
    let paragraph = -1;
    for (const block of this.#blocks.values()) {
      if (block.kind === "thinking") {
        thinking += block.text;
        continue;
      }
      text += block.text;
      if (block.paragraph === paragraph) paragraphs.push(paragraphs.pop() + block.text);
      else paragraphs.push(block.text);
      paragraph = block.paragraph;
    }
    return text ? { ...this.#answer, text, paragraphs, thinking } : { ...this.#answer, thinking };
  }

  #set(change: Partial<Answer>): void {
    this.#answer = { ...this.#answer, ...change };
  }

  #append({ type, block, text }: AgentEvent<"delta" | "thinking">): void {
    if (this.#answer.retrying) this.#set({ retrying: undefined });
    const known = this.#blocks.get(block);
    if (known) known.text += text;
    else this.#blocks.set(block, { kind: type, text, paragraph: this.#answer.toolCalls.length });
  }

  #call(event: AgentEvent<"tool_call">): void {
    const { tool_use_id: id, name, input, parent_tool_use_id: parentId } = event;
    this.#set({
      toolCalls: [...this.#answer.toolCalls, { id, name, input, status: "running", parentId }],
      retrying: undefined,
    });
  }

  #result({ tool_use_id, status, content }: AgentEvent<"tool_result">): void {
    this.#set({
      toolCalls: this.#answer.toolCalls.map((call) => (call.id === tool_use_id ? { ...call, status, content } : call)),
    });
  }

  #notice({ level, code, message }: AgentEvent<"notice">): void {
    this.#set({ notices: [...this.#answer.notices, { level, code, message }] });
  }

  #end(event: AgentEvent<"done" | "error" | "aborted">): void {
    const { run, session_id, usage, cost_usd: costUsd } = event;
    const sessionId = session_id ?? this.#answer.sessionId;
    this.#set({ run, sessionId, usage, costUsd, retrying: undefined });
    if (event.type !== "done") return;
    const { stop_reason: stopReason, output, duration_ms: durationMs, text } = event;
    // Shown only where no delta came: the final answer alone, while the deltas also hold what was said between tools.
    this.#set({ stopReason, output, durationMs, text, paragraphs: text ? [text] : [] });
  }
}
