import { type AgentView, isByPerson } from "@agent-workers/react/stream";
import { el, type Shown, tell } from "./dom";
import type { Exchange } from "./exchange";
import type { Page } from "./page";

/** How a run ended, and the retry. */
export function ending({ conversation: { stream }, focusTextbox }: Page): Shown<Exchange> {
  const retry = () => {
    stream.retry();
    focusTextbox();
  };
  const failure = el("p", { role: "alert", part: "error" });
  const mark = el("p", { part: "note" });
  const again = el("button", { type: "button", part: "button retry", click: retry });
  const node = el("div", {}, failure, mark, again);
  const show = ({ view, isLast }: Exchange) => {
    tell(failure, failureOf(view));
    tell(mark, markOf(view));
    const left = Math.ceil(Math.max(0, (view.retryAt ?? 0) - Date.now()) / 1000);
    tell(again, isLast && mayRetry(view) && (left > 0 ? `Retry in ${left} s` : "Retry"));
    again.disabled = left > 0;
  };
  return { node, show };
}

function failureOf({ state, error, stopError }: AgentView): string | undefined {
  if (state === "error") return `${error?.message} (${error?.code})`;
  return stopError && `The server could not be told, and may go on: ${stopError.message}`;
}

function markOf({ state, stoppedBy, stopReason }: AgentView): string | undefined {
  if (state === "stopped") return stoppedBy === "user" ? "Stopped." : "Stopped by the server.";
  return stopReason && stopReason !== "end_turn" ? `The answer ends early (${stopReason}).` : undefined;
}

function mayRetry(view: AgentView): boolean {
  const { state, error, stoppedBy, toolCalls } = view;
  if (state === "error") return error?.retryable === true;
  if (state === "stopped") return stoppedBy !== "user";
  return isByPerson(view) && toolCalls.some(({ status, retryable }) => status === "error" && retryable !== false);
}
