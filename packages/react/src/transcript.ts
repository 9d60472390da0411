import { type Answer, EMPTY, type Fate, type Output } from "./answer.js";
import type { AgentEvent } from "./events.js";
import { Terminal } from "./terminal.js";

/** The worker that runs one tool for a person, without a model. */
export const TOOL_WORKER = "agent-tool";

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
  readonly #printed = new Map<string, { terminal: Terminal; cut: number }>();
  /** The calls that have printed something since the last `answer()`. */
  readonly #fresh = new Set<string>();
  /** How far this browser's clock is ahead of the worker's: the shortest time that an event seems to have taken. */
  #ahead = Infinity;
  #answer: Answer = EMPTY;
  #hasBegun = false;

  /** Whether an event begins the run again, since its worker was lost: nothing of what came before counts. */
  beginsAnew(event: AgentEvent): boolean {
    return this.#hasBegun && event.type === "start" && (event.attempt ?? 1) > (this.#answer.attempt ?? 1);
  }

  /** Takes the server's time now. The events of a run that is followed late have only old times. */
  synchronize(serverTime: number): void {
    this.#ahead = Math.min(this.#ahead, Date.now() - serverTime);
  }

  apply(event: AgentEvent): void {
    const travelled = Date.now() - Date.parse(event.ts);
    if (travelled < this.#ahead) this.#ahead = travelled;
    if (this.beginsAnew(event)) this.#forget();
    this.#hasBegun = true;
    switch (event.type) {
      case "start":
        return this.#set({
          ...(event.attempt && { attempt: event.attempt }),
          run: event.run,
          worker: event.worker,
          simulated: event.simulated,
        });
      case "session":
        return this.#set({ sessionId: event.session_id, model: event.model, resumed: event.resumed });
      case "delta":
      case "thinking":
        return this.#append(event);
      case "discard":
        return event.blocks.forEach((block) => this.#blocks.delete(block));
      case "tool_call":
        return this.#call(event);
      case "tool_output":
        return this.#print(event);
      case "tool_result":
        return this.#result(event);
      case "permission_request":
        return this.#askPermission(event);
      case "permission_resolved":
        return this.#resolvePermission(event);
      case "question":
        return this.#ask(event);
      case "question_resolved":
        return this.#resolve(event);
      case "steered":
        return this.#fate({ id: event.id, read: true, actor: event.actor });
      case "ack":
        return event.ok ? undefined : this.#fate({ id: event.id, read: false, code: event.code });
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
    this.#showPrinted();
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

  #forget(): void {
    for (const kept of [this.#blocks, this.#since, this.#printed, this.#fresh]) kept.clear();
    this.#answer = EMPTY;
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

  /** Output may come before its call, or after its result. */
  #print({ tool_use_id: id, stream, text, truncated_bytes: cut = 0 }: AgentEvent<"tool_output">): void {
    const printed = this.#printed.get(id) ?? { terminal: new Terminal(), cut: 0 };
    printed.terminal.write(text, stream);
    printed.cut += cut;
    this.#printed.set(id, printed);
    this.#fresh.add(id);
  }

  #showPrinted(): void {
    if (this.#fresh.size === 0) return;
    const toolCalls = this.#answer.toolCalls.map((call) =>
      this.#fresh.delete(call.id) ? { ...call, output: this.#outputOf(call.id) } : call,
    );
    this.#set({ toolCalls });
  }

  #outputOf(id: string): Output {
    const { terminal, cut } = this.#printed.get(id)!;
    return { ...terminal.screen(), cut };
  }

  #result(event: AgentEvent<"tool_result">): void {
    const { tool_use_id, status, content, truncated_bytes: contentCut, retryable, replayed, ts } = event;
    const took = Date.parse(ts) - this.#since.get(tool_use_id)!;
    const durationMs = Number.isNaN(took) ? undefined : Math.max(0, took);
    const result = { status, content, contentCut, retryable, replayed, durationMs };
    this.#set({
      toolCalls: this.#answer.toolCalls.map((call) => (call.id === tool_use_id ? { ...call, ...result } : call)),
    });
  }

  #askPermission(event: AgentEvent<"permission_request">): void {
    const { permission_id: id, tool_use_id: toolUseId, name, input, truncated_bytes: inputCut, reason } = event;
    const expiresAt = this.#here(event.expires_at);
    const permission = { id, toolUseId, name, input, inputCut, reason, expiresAt };
    this.#set({ run: event.run, permissions: [...this.#answer.permissions, permission] });
  }

  #resolvePermission({ permission_id, behavior, by, actor, ts }: AgentEvent<"permission_resolved">): void {
    const permissions = this.#answer.permissions.map((permission) => {
      if (permission.id !== permission_id) return permission;
      this.#since.set(permission.toolUseId, Date.parse(ts));
      return { ...permission, resolved: { behavior, by, actor } };
    });
    this.#set({ permissions });
  }

  #ask({ question_id: id, tool_use_id: toolUseId, questions: items, expires_at, run }: AgentEvent<"question">): void {
    const question = { id, toolUseId, items, expiresAt: this.#here(expires_at) };
    this.#set({ run, questions: [...this.#answer.questions, question] });
  }

  #resolve({ question_id, by, actor }: AgentEvent<"question_resolved">): void {
    const questions = this.#answer.questions.map((question) =>
      question.id === question_id ? { ...question, resolved: { by, actor } } : question,
    );
    this.#set({ questions });
  }

  #fate(fate: Omit<Fate, "called">): void {
    const { fates, toolCalls } = this.#answer;
    this.#set({ fates: [...fates, { ...fate, called: toolCalls.length }] });
  }

  /** A time of the worker's by this browser's clock; undefined if it is unknown. */
  #here(time: string): number | undefined {
    const at = Date.parse(time) + this.#ahead;
    return Number.isFinite(at) ? at : undefined;
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
    // The text of a tool that ran alone is its result, and the tool's card shows that.
    const paragraphs = text && this.#answer.worker !== TOOL_WORKER ? [text] : [];
    this.#set({ stopReason, output, durationMs, denials, pending, text, paragraphs });
  }
}
