/** How a run ends: the agent's result as a terminal event, and every failure in words for the user. */

import type { SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import type { ChatRequest, DoneEvent } from "./contract.ts";
import { encoded, type Terminal } from "./output.ts";
import type { Translator } from "./translate.ts";

const AGAIN = " Try again later.";
const FAILURES: Record<string, string> = {
  invalid_request: "The request is not valid.",
  unsupported_version: "This worker speaks version 1 of the contract.",
  auth: "The model's API did not accept the credential. The operator must check it.",
  billing: "The account has no credit left for the model's API. The operator must add some.",
  model_not_found: "The model does not exist, or this account may not use it.",
  context_overflow: "The conversation is too long for the model. Begin a new one, or send less.",
  rate_limited: `Too many requests for this account right now.${AGAIN}`,
  overloaded: `The model is overloaded right now.${AGAIN}`,
  server_error: `The model's API failed.${AGAIN}`,
  network: `The connection to the model's API failed.${AGAIN}`,
  session_not_found: "There is no such session for this user. Begin a new one.",
  session_exists: "A session with this id already exists. Use session.resume to continue it.",
  output_schema: "The model gave no answer that satisfies output_schema.",
  output_too_large: "The structured output is larger than this worker sends.",
  cli_missing: "The Claude CLI is missing on this host. The operator must install it.",
  cli_crashed: "The agent ended unexpectedly. Try again.",
  timeout: "The run took longer than its time limit.",
  idle_timeout: `The model said nothing for too long.${AGAIN}`,
  internal: "The worker failed. The operator finds the cause on its stderr.",
};
const RETRYABLE = ["rate_limited", "overloaded", "server_error", "network", "cli_crashed", "idle_timeout"];
const BY_STATUS: Record<number, string> = {
  400: "invalid_request", 401: "auth", 402: "billing", 403: "auth", 404: "model_not_found", 413: "context_overflow",
  429: "rate_limited", 529: "overloaded",
};
const BY_NAME: Record<string, string> = {
  authentication_failed: "auth", billing_error: "billing", rate_limit: "rate_limited", overloaded: "overloaded",
  invalid_request: "invalid_request", model_not_found: "model_not_found",
};

/** A failure that is told under a code of the contract; the cause is for stderr alone. */
export class Failure extends Error {
  readonly code: string;

  constructor(code: string, cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

/** The contract's code for a call of the API that has failed. */
export function codeOf(name: string | undefined, status?: number | null): string {
  if (status) return BY_STATUS[status] ?? (status < 500 ? "invalid_request" : "server_error");
  return BY_NAME[name ?? ""] ?? "network";
}

export function failed(code: string, more: object = {}): Terminal {
  const message = FAILURES[code] ?? "The run failed.";
  return { type: "error", code, message, retryable: RETRYABLE.includes(code), ...more };
}

/** The terminal event of a run that the agent itself has ended. */
export function ended(result: SDKResultMessage, { texts, apiError }: Translator, request: ChatRequest): Terminal {
  const { session_id, duration_ms, num_turns: turns, usage } = result;
  const resumed = "resume" in (request.session ?? {}); // then the price holds what earlier runs have cost
  const consumed = {
    session_id,
    usage: {
      input_tokens: usage.input_tokens,
      output_tokens: usage.output_tokens,
      cache_read_input_tokens: usage.cache_read_input_tokens,
      cache_creation_input_tokens: usage.cache_creation_input_tokens,
    },
    ...(!resumed && { cost_usd: result.total_cost_usd }),
  };
  const stop_reason = reason(result, apiError);
  if (!stop_reason) return failed(failure(result, apiError), consumed);
  const done: Omit<DoneEvent, "v" | "seq" | "run" | "ts"> = {
    type: "done", stop_reason, text: [...texts.values()].join(""), ...consumed, duration_ms, turns,
  };
  if (!request.output_schema) return done;
  const output = result.subtype === "success" ? (result.structured_output as DoneEvent["output"]) : undefined;
  if (encoded({ output }).length > 100 * 1024) return failed("output_too_large", consumed);
  return !output ? failed("output_schema", consumed) : { ...done, stop_reason: "end_turn", output };
}

/** Why the model has stopped; nothing where the run has failed. */
function reason(result: SDKResultMessage, apiError: string | undefined): string | undefined {
  if (result.subtype === "error_max_turns") return "max_turns";
  if (result.subtype === "error_max_budget_usd") return "max_budget";
  if (result.stop_reason === "refusal") return "refusal";
  if (apiError === "max_output_tokens") return "max_tokens";
  return result.is_error || result.subtype !== "success" ? undefined : "end_turn";
}

function failure(result: SDKResultMessage, apiError: string | undefined): string {
  if (result.subtype === "error_max_structured_output_retries") return "output_schema";
  if (result.subtype !== "success") return "cli_crashed";
  const status = result.api_error_status ?? Number(/API Error: (\d{3})\b/.exec(result.result)?.[1] ?? 0);
  return codeOf(apiError, status);
}
