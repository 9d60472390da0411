import type { AgentEvent, Json, NamedCall, StopReason, Usage } from "./events";

export interface ToolCall {
  id: string;
  name: string;
  input: Json;
  /** Bytes that the worker cut off the input. */
  inputCut?: number;
  /** "running" until the result comes. */
  status: "running" | "ok" | "error" | "denied";
  content?: string;
  /** Bytes that the worker cut off the result. */
  contentCut?: number;
  /** From the call, or from when it was allowed, to the result. By the worker's clock. */
  durationMs?: number;
  /** The call that started the subagent which makes this one. */
  parentId?: string;
}

/** The agent asks whether it may call a tool. */
export interface Question {
  id: string;
  toolUseId: string;
  name: string;
  input: Json;
  /** Bytes that the worker cut off the input. */
  inputCut?: number;
  reason?: string;
  /** When the question expires, by this browser's clock (ms since the epoch), even if that clock is wrong. */
  expiresAt?: number;
  /** Absent while it is open. */
  resolved?: { behavior: "allow" | "deny"; by: string };
}

/** A subagent's or a background command's work. */
export interface Subtask {
  id: string;
  status: string;
  description: string;
  /** The call that started it. */
  toolUseId?: string;
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
  /** Also absent if the session could not be saved. */
  sessionId?: string;
  /** True when a simulator or a recording answers instead of a model. */
  simulated?: boolean;
  /** Every delta that was not discarded, concatenated. */
  text: string;
  /** The same text, cut where the model called tools. */
  paragraphs: string[];
  thinking: string;
  toolCalls: ToolCall[];
  /** Texts and calls in their order. */
  parts: (string | ToolCall)[];
  questions: Question[];
  subtasks: Subtask[];
  notices: Notice[];
  /** Set while a failed call of the API waits for its next attempt. */
  retrying?: { attempt: number; maxAttempts: number; delayMs: number; code: string };
  stopReason?: StopReason;
  /** Calls that were not allowed. */
  denials?: NamedCall[];
  /** The call for whose decision the run ended. */
  pending?: NamedCall;
  /** The JSON value that satisfies the request's `output_schema`. */
  output?: unknown;
  usage?: Usage;
  costUsd?: number;
  durationMs?: number;
}

export const EMPTY: Answer = {
  text: "",
  paragraphs: [],
  thinking: "",
  toolCalls: [],
  parts: [],
  questions: [],
  subtasks: [],
  notices: [],
};

interface Block {
  kind: "delta" | "thinking";
  text: string;
  /** How many tools had been called when the block began. */
  paragraph: number;
}

/** Folds a run's events into an `Answer`. Cheap per event: thousands may come between two renders. */
export class Transcript {
  readonly #blocks = new Map<number, Block>();
  /** When each call began, by the worker's clock. */
  readonly #since = new Map<string, number>();
  /** How far this browser's clock is ahead of the worker's: the shortest time that an event seems to have taken. */
  #ahead = Infinity;
  #answer: Answer = EMPTY;

  /** Takes the server's time now. The events of a run that is followed late have only old times. */
  synchronize(serverTime: number): void {
    this.#ahead = Math.min(this.#ahead, Date.now() - serverTime);
  }

  apply(event: AgentEvent): void {
    const travelled = Date.now() - Date.parse(event.ts);
    if (travelled < this.#ahead) this.#ahead = travelled;
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
      case "permission_request":
        return this.#ask(event);
      case "permission_resolved":
        return this.#resolve(event);
      case "task":
        return this.#subtask(event);
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
    const { toolCalls } = this.#answer;
    const paragraphs: string[] = [];
    const parts: Answer["parts"] = [];
    let text = "";
    let thinking = "";
    let paragraph = -1;
    let called = 0;
    for (const block of this.#blocks.values()) {
      if (block.kind === "thinking") {
        thinking += block.text;
        continue;
      }
      text += block.text;
      if (block.paragraph === paragraph) paragraphs.push(paragraphs.pop() + block.text);
      else {
        // The calls up to here; the text so far is complete.
        if (paragraphs.length > 0) parts.push(paragraphs.at(-1)!);
        parts.push(...toolCalls.slice(called, block.paragraph));
        called = block.paragraph;
        paragraphs.push(block.text);
      }
      paragraph = block.paragraph;
    }
    if (paragraphs.length > 0) parts.push(paragraphs.at(-1)!);
    parts.push(...toolCalls.slice(called));
    if (text) return { ...this.#answer, text, paragraphs, parts, thinking };
    return { ...this.#answer, parts: [...parts, ...this.#answer.paragraphs], thinking };
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
    const { tool_use_id: id, name, input, truncated_bytes: inputCut, parent_tool_use_id: parentId } = event;
    this.#since.set(id, Date.parse(event.ts));
    this.#set({
      toolCalls: [...this.#answer.toolCalls, { id, name, input, inputCut, status: "running", parentId }],
      retrying: undefined,
    });
  }

  #result({ tool_use_id, status, content, truncated_bytes: contentCut, ts }: AgentEvent<"tool_result">): void {
    const took = Date.parse(ts) - this.#since.get(tool_use_id)!;
    const durationMs = Number.isNaN(took) ? undefined : took;
    this.#set({
      toolCalls: this.#answer.toolCalls.map((call) =>
        call.id === tool_use_id ? { ...call, status, content, contentCut, durationMs } : call,
      ),
    });
  }

  #ask(event: AgentEvent<"permission_request">): void {
    const { permission_id: id, tool_use_id: toolUseId, name, input, truncated_bytes: inputCut, reason } = event;
    const at = Date.parse(event.expires_at) + this.#ahead;
    const expiresAt = Number.isFinite(at) ? at : undefined;
    const question = { id, toolUseId, name, input, inputCut, reason, expiresAt };
    this.#set({ run: event.run, questions: [...this.#answer.questions, question] });
  }

  #resolve({ permission_id, behavior, by, ts }: AgentEvent<"permission_resolved">): void {
    const questions = this.#answer.questions.map((question) => {
      if (question.id !== permission_id) return question;
      this.#since.set(question.toolUseId, Date.parse(ts));
      return { ...question, resolved: { behavior, by } };
    });
    this.#set({ questions });
  }

  #subtask({ task_id: id, status, description, tool_use_id }: AgentEvent<"task">): void {
    const known = this.#answer.subtasks;
    const before = known.find((subtask) => subtask.id === id);
    const now = { id, status, description, toolUseId: tool_use_id ?? before?.toolUseId };
    this.#set({ subtasks: before ? known.map((each) => (each === before ? now : each)) : [...known, now] });
  }

  #notice({ level, code, message }: AgentEvent<"notice">): void {
    this.#set({ notices: [...this.#answer.notices, { level, code, message }] });
    if (code === "session_not_saved") this.#set({ sessionId: undefined });
  }

  #end(event: AgentEvent<"done" | "error" | "aborted">): void {
    const { run, session_id, usage, cost_usd: costUsd } = event;
    const sessionId = session_id ?? this.#answer.sessionId;
    this.#set({ run, sessionId, usage, costUsd, retrying: undefined });
    if (event.type !== "done") return;
    const { stop_reason: stopReason, output, duration_ms: durationMs, text, denials, pending } = event;
    // Shown only if no delta came: `text` is the final answer, while the deltas include the texts between tool calls.
    this.#set({ stopReason, output, durationMs, denials, pending, text, paragraphs: text ? [text] : [] });
  }
}
