/** What the task worker says, as bodies of events. */

import type { Json, QuestionItem } from "../src/events.js";
import { type Body, SESSION } from "./server.js";

/** So many milliseconds into the run, by the worker's clock. */
export const at = (ms: number): string => new Date(Date.parse("2026-11-20T23:19:00.000Z") + ms).toISOString();

interface Call {
  ms?: number;
  parent?: string;
  cut?: number;
}

export function calls(id: string, name: string, input: Json, { ms = 0, parent, cut }: Call = {}): Body {
  const more = { parent_tool_use_id: parent, truncated_bytes: cut };
  return { type: "tool_call", tool_use_id: id, name, input, ts: at(ms), ...more };
}

interface Result extends Call {
  status?: "ok" | "error" | "denied";
}

export function results(id: string, content: string, { ms = 0, parent, cut, status = "ok" }: Result = {}) {
  const rest = { parent_tool_use_id: parent, truncated_bytes: cut };
  return { type: "tool_result", tool_use_id: id, status, content, ts: at(ms), ...rest } satisfies Body;
}

export function prints(id: string, text: string, stream: "stdout" | "stderr" = "stdout", cut?: number): Body {
  return { type: "tool_output", tool_use_id: id, stream, text, truncated_bytes: cut };
}

/** The question `q1` of the call `t1`, and so on. */
export function inquires(number: number, questions: QuestionItem[], expiresMs = 120_000): Body {
  const ids = { question_id: `q${number}`, tool_use_id: `t${number}` };
  return { type: "question", ...ids, questions, ts: at(0), expires_at: at(expiresMs) };
}

interface Asking {
  ms?: number;
  expiresMs?: number;
  reason?: string;
  cut?: number;
}

/** The question `p1` for the call `t1`, and so on. */
export function asks(number: number, name: string, input: Json, asking: Asking = {}) {
  const { ms = 0, expiresMs = 120_000, reason, cut } = asking;
  const ids = { permission_id: `p${number}`, tool_use_id: `t${number}` };
  const times = { ts: at(ms), expires_at: at(ms + expiresMs) };
  return { type: "permission_request", ...ids, name, input, reason, truncated_bytes: cut, ...times } satisfies Body;
}

type By = "client" | "timeout" | "policy" | "abort";

export function settles(number: number, behavior: "allow" | "deny", by: By, ms = 0): Body {
  return { type: "permission_resolved", permission_id: `p${number}`, behavior, by, ts: at(ms) };
}

/** The end of a run, with what the end of a chat does not have. */
export function ends(more: Partial<Extract<Body, { type: "done" }>>): Body {
  const numbers = { session_id: SESSION, usage: { input_tokens: 10 }, cost_usd: 0.0123, duration_ms: 2500, turns: 3 };
  return { type: "done", stop_reason: "end_turn", text: "", ...numbers, ...more };
}
