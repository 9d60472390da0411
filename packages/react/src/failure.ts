import type { ErrorCode, Problem } from "./events.js";
import { SseParser } from "./sse.js";

/**
 * Why there is no answer. `code` is that of the `error` event, or one for a failure between browser and server:
 * `unauthenticated`, `forbidden`, `page_expired`, `not_found`, `too_large`, `http_error` (the server refused), `bad_response` (it
 * answered with something other than events).
 */
export interface Failure {
  code: ErrorCode;
  /** A message for people. */
  message: string;
  /** True when the same prompt may succeed later. */
  retryable: boolean;
  retryAfterMs?: number;
  httpStatus?: number;
  /** Laravel's validation messages by field. */
  fields?: Record<string, string[]>;
  /** What is wrong with the request. */
  details?: Problem[];
}

/** Raised when a run can't be started or followed. */
export class RunFailed extends Error {
  override name = "RunFailed";
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

export const NETWORK: Failure = {
  code: "network",
  message: "The connection to the server was lost.",
  retryable: true,
};
export const WORKER_LOST: Failure = {
  code: "worker_lost",
  message: "The answer broke off before its end.",
  retryable: true,
};
export const BAD_RESPONSE: Failure = {
  code: "bad_response",
  message: "The server answered with something else than an event stream.",
  retryable: false,
};

export const UNSUPPORTED_VERSION: Failure = {
  code: "unsupported_version",
  message: "The server speaks a newer version of the protocol. Reload the page.",
  retryable: false,
};
export const BROKEN: Failure = { code: "internal", message: "This page failed to show the answer.", retryable: true };

/** What a request has failed by. */
export const failureOf = (cause: unknown): Failure => (cause instanceof RunFailed ? cause.failure : NETWORK);

const BY_STATUS: Record<number, { code: ErrorCode; message?: string }> = {
  401: { code: "unauthenticated", message: "You are signed out. Sign in again and reload the page." },
  403: { code: "forbidden" },
  404: { code: "not_found" },
  409: { code: "session_busy" },
  413: { code: "too_large", message: "This is too large for the server. Send fewer or smaller files." },
  419: { code: "page_expired", message: "The page has expired. Reload it and try again." },
  422: { code: "invalid_request" },
  429: { code: "rate_limited", message: "Too many requests. Try again in a moment." },
};

/** Explains an HTTP response that refuses the request; its body may be Laravel's JSON, or an `error` event. */
export async function refusal(response: Response): Promise<RunFailed> {
  const { status } = response;
  const body = await readBody(response);
  const known = BY_STATUS[status] ?? { code: status >= 500 ? "server_error" : "http_error" };
  const said = typeof body.message === "string" && body.message ? body.message : undefined;
  const isRetryable = status === 409 || status === 429 || status >= 500;
  return new RunFailed({
    code: typeof body.code === "string" && body.code ? body.code : known.code,
    message: known.message ?? said ?? `The server refused the request (HTTP ${status}).`,
    retryable: typeof body.retryable === "boolean" ? body.retryable : isRetryable,
    retryAfterMs: retryAfterMs(response.headers.get("Retry-After")),
    httpStatus: status,
    fields: body.errors as Failure["fields"],
    details: Array.isArray(body.details) ? body.details.filter(isProblem) : undefined,
  });
}

/** What stands between browser and server may answer with details of another kind. */
function isProblem(value: unknown): value is Problem {
  const { pointer, message } = Object(value) as Partial<Problem>;
  return typeof pointer === "string" && typeof message === "string";
}

async function readBody(response: Response): Promise<Record<string, unknown>> {
  try {
    const body = await response.text();
    const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    const last = isStream ? new SseParser().push(new TextEncoder().encode(body)).at(-1)?.data : body;
    return Object(JSON.parse(last ?? ""));
  } catch {
    return {};
  }
}

/** Reads a Retry-After header: seconds or an HTTP date. */
function retryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
