import type { Json, NamedCall, QuestionItem, StopReason, Usage } from "./events.js";
import type { Line } from "./terminal.js";

/** What a tool has printed so far. */
export interface Output {
  /** The last lines. */
  lines: Line[];
  /** How many lines before these are left out here. */
  leftOut: number;
  /** Bytes that the worker did not pass on. */
  cut: number;
}

export interface ToolCall {
  id: string;
  name: string;
  input: Json;
  /** Bytes that the worker cut off the input. */
  inputCut?: number;
  /** "running" until the result comes. */
  status: "running" | "ok" | "error" | "denied";
  /** What it prints while it runs; absent until it does. */
  output?: Output;
  content?: string;
  /** Bytes that the worker cut off the result. */
  contentCut?: number;
  /** Whether the same call may succeed later; absent if unknown, and without an error. */
  retryable?: boolean;
  /** True when the application answered from its record of an earlier attempt, and ran nothing. */
  replayed?: boolean;
  /** From the call, or from when it was allowed, to the result. By the worker's clock. */
  durationMs?: number;
  /** The call that started the subagent which makes this one. */
  parentId?: string;
}

/** The agent asks whether it may call a tool. */
export interface Permission {
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
  resolved?: { behavior: "allow" | "deny"; by: string; actor?: string };
}

/** The agent asks what only a person can say. */
export interface Question {
  id: string;
  toolUseId: string;
  items: QuestionItem[];
  /** As in `Permission`. */
  expiresAt?: number;
  /** Absent while it is open. */
  resolved?: { by: string; actor?: string };
}

/** What became of a control message to the agent: it was read, or refused with a code. */
export interface Fate {
  id: string;
  read: boolean;
  code?: string;
  actor?: string;
  /** How many tools had been called by then. */
  called: number;
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
  /** Which attempt of the run this is, from 2 on: an earlier one was lost, and nothing of it is here. */
  attempt?: number;
  /** Which worker runs it, such as "agent-tool". */
  worker?: string;
  model?: string;
  /** Also absent if the session could not be saved. */
  sessionId?: string;
  /** Whether the agent knows what was said before in this conversation. */
  resumed?: boolean;
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
  permissions: Permission[];
  questions: Question[];
  /** What became of the words that were said while the agent worked, in the order in which that was known. */
  fates: Fate[];
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
  permissions: [],
  questions: [],
  fates: [],
  subtasks: [],
  notices: [],
};
