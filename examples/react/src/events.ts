/** The events of the contract, version 1: `schemas/v1/event.schema.json` in TypeScript. */

export interface Envelope {
  /** 1. In another version the same names may mean something else. */
  v: number;
  /** 1, 2, 3 … within the run. */
  seq: number;
  run: string;
  /** RFC 3339, UTC, milliseconds. */
  ts: string;
  type: string;
  /** UTF-8 bytes that a cut removed from the event's fields. */
  truncated_bytes?: number;
}

/** An absent count is unknown, never zero. */
export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
  cache_creation_1h_input_tokens?: number;
  cache_creation_5m_input_tokens?: number;
}

export type Json = Record<string, unknown>;
/** Known values, and others that may be added. */
type Open<Known extends string> = Known | (string & {});

export type ErrorCode = Open<
  | "invalid_request" | "unsupported_version" | "policy_denied" | "auth" | "billing" | "rate_limited" | "overloaded"
  | "server_error" | "network" | "model_not_found" | "context_overflow" | "session_not_found" | "session_exists"
  | "output_schema" | "output_too_large" | "cli_missing" | "cli_crashed" | "state_unavailable"
  | "sandbox_unavailable" | "session_busy" | "mcp_unavailable" | "gateway" | "timeout" | "idle_timeout" | "worker_lost"
  | "internal"
>;
export type StopReason = Open<
  "end_turn" | "max_tokens" | "max_turns" | "max_budget" | "refusal" | "permission_required"
>;

/** A tool call in the terminal event. The input is absent if the line would be too long with it. */
export interface NamedCall {
  tool_use_id: string;
  name: string;
  input?: Json;
}

/** One question of several that are asked together; its answer bears `question` as its key. */
export interface QuestionItem {
  question: string;
  header?: string;
  options: { label: string; description?: string }[];
  /** True when more than one option may be chosen. */
  multi: boolean;
}

/** What is wrong with a part of a request. */
export interface Problem {
  pointer: string;
  message: string;
  did_you_mean?: string;
}

interface Bodies {
  start: {
    worker: string;
    worker_version: string;
    sdk_version: string;
    simulated: boolean;
    /** Absent where no model is asked. */
    engine?: Open<"agent" | "messages">;
    metadata?: Json;
  };
  session: { session_id: string; model: string; cli_version: string; tools: string[]; resumed: boolean };
  delta: { text: string; block: number };
  thinking: { text: string; block: number };
  discard: { blocks: number[]; reason: Open<"retry" | "fallback"> };
  tool_call: { tool_use_id: string; name: string; input: Json; parent_tool_use_id?: string };
  tool_output: { tool_use_id: string; stream: "stdout" | "stderr"; text: string };
  tool_result: {
    tool_use_id: string;
    status: "ok" | "error" | "denied";
    content: string;
    parent_tool_use_id?: string;
    /** Whether the same call may succeed later; absent if unknown, and without an error. */
    retryable?: boolean;
    /** True when the application answered from its record of an earlier attempt. */
    replayed?: boolean;
  };
  permission_request: {
    permission_id: string;
    tool_use_id: string;
    name: string;
    input: Json;
    reason?: string;
    expires_at: string;
  };
  permission_resolved: {
    permission_id: string;
    behavior: "allow" | "deny";
    by: "client" | "timeout" | "policy" | "abort";
    actor?: string;
  };
  question: { question_id: string; tool_use_id: string; questions: QuestionItem[]; expires_at: string };
  question_resolved: { question_id: string; by: "client" | "timeout" | "abort"; actor?: string };
  steered: { id: string; actor?: string };
  app_tool_call: {
    call_id: string;
    name: string;
    input: Json;
    expires_at: string;
    tool_use_id?: string;
    effect_key?: string;
  };
  task: {
    task_id: string;
    status: Open<"started" | "progress" | "completed" | "failed" | "stopped">;
    description: string;
    tool_use_id?: string;
  };
  retry: { attempt: number; max_attempts: number; delay_ms: number; http_status?: number; code: ErrorCode };
  notice: { level: "info" | "warning"; code: string; message: string };
  ping: { idle_ms: number };
  ack: { id: string; ok: boolean; code?: string };
  done: {
    stop_reason: StopReason;
    text: string;
    output?: unknown;
    /** Absent if the conversation could not be saved. */
    session_id?: string;
    usage: Usage;
    cost_usd?: number;
    /** Of a run of a batch in the economy lane. */
    lane?: Open<"economy" | "live">;
    duration_ms: number;
    turns: number;
    models?: Record<string, Usage & { cost_usd?: number }>;
    denials?: NamedCall[];
    /** The call that waits for a decision, if `stop_reason` is "permission_required". */
    pending?: NamedCall;
    metadata?: Json;
  };
  error: Consumed & {
    code: ErrorCode;
    message: string;
    retryable: boolean;
    retry_after_ms?: number;
    http_status?: number;
    details?: Problem[];
  };
  aborted: Consumed & { reason: "client" | "signal" | "parent_gone" };
}

interface Consumed {
  session_id?: string;
  usage?: Usage;
  cost_usd?: number;
  metadata?: Json;
}

export type EventType = keyof Bodies;
/** One event; without a parameter, the union of them all. */
export type AgentEvent<T extends EventType = EventType> = { [K in T]: Envelope & { type: K } & Bodies[K] }[T];

const TYPES: Record<EventType, true> = {
  start: true, session: true, delta: true, thinking: true, discard: true, tool_call: true, tool_output: true,
  tool_result: true, permission_request: true, permission_resolved: true, question: true, question_resolved: true,
  steered: true, app_tool_call: true, task: true, retry: true, notice: true, ping: true, ack: true, done: true,
  error: true, aborted: true,
};
export const EVENT_TYPES = Object.keys(TYPES) as EventType[];

/** False for an event that a newer worker sends: ignore it. */
export function isKnown(event: Envelope): event is AgentEvent {
  return Object.hasOwn(TYPES, event.type);
}

/** True for the one event that ends a run. */
export function isTerminal(event: Envelope): event is AgentEvent<"done" | "error" | "aborted"> {
  return event.type === "done" || event.type === "error" || event.type === "aborted";
}

/** Reads a frame's data. Returns undefined if it is not an event, such as a heartbeat or an end marker. */
export function readEvent(data: string): Envelope | undefined {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch {
    return undefined;
  }
  return isEnvelope(event) ? event : undefined;
}

function isEnvelope(value: unknown): value is Envelope {
  const event = value as Partial<Envelope> | null;
  return typeof event?.v === "number" && typeof event.seq === "number" && typeof event.type === "string";
}
