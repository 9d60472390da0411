/** The events of the contract, version 1; their types are generated from its schemas. */

import type { AgentEvent as AnyEvent, Denial, PendingCall } from "./agent-workers.js";

export type { Problem, QuestionItem, Usage } from "./agent-workers.js";

export type EventType = AnyEvent["type"];
/** One event; without a parameter, the union of them all. */
export type AgentEvent<T extends EventType = EventType> = Extract<AnyEvent, { type: T }>;
/** What every event has, also one of a type that is not known here. */
export type Envelope = Pick<AnyEvent, "seq" | "run" | "ts" | "truncated_bytes" | "prev"> & { v: number; type: string };

export type Json = Record<string, unknown>;
export type ErrorCode = AgentEvent<"error">["code"];
export type StopReason = AgentEvent<"done">["stop_reason"];
/** A tool call in the terminal event. The input is absent if the line would be too long with it. */
export type NamedCall = Denial | PendingCall;

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
