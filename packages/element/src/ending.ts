import { type AgentView, isByPerson } from "@agent-workers/react/stream";
import { el, type Shown, tell } from "./dom";
import type { Exchange } from "./exchange";
import type { Page } from "./page";
import { failureIn, fill, type Words } from "./words";

/** How a run ended, and the retry. */
export function ending({ conversation: { stream }, focusTextbox, words }: Page): Shown<Exchange> {
  const retry = () => {
    stream.retry();
    focusTextbox();
  };
  const failure = el("p", { role: "alert", part: "error" });
  const mark = el("p", { part: "note" });
  const again = el("button", { type: "button", part: "button retry", click: retry });
  const node = el("div", {}, failure, mark, again);
  const show = ({ view, isLast }: Exchange) => {
    tell(failure, failureOf(view, words));
    tell(mark, markOf(view, words));
    const left = Math.ceil(Math.max(0, (view.retryAt ?? 0) - Date.now()) / 1000);
    tell(again, isLast && mayRetry(view) && (left > 0 ? fill(words.retryIn, { seconds: left }) : words.retry));
    again.disabled = left > 0;
  };
  return { node, show };
}

function failureOf({ state, error, stopError }: AgentView, words: Words): string | undefined {
  if (state === "error") return `${failureIn(words, error)} (${error?.code})`;
  return stopError && fill(words.mayGoOn, { message: failureIn(words, stopError) });
}

function markOf({ state, stoppedBy, stopReason }: AgentView, words: Words): string | undefined {
  if (state === "stopped") return stoppedBy === "user" ? words.stopped : words.stoppedByServer;
  return stopReason && stopReason !== "end_turn" ? fill(words.endsEarly, { reason: stopReason }) : undefined;
}

function mayRetry(view: AgentView): boolean {
  const { state, error, stoppedBy, toolCalls } = view;
  if (state === "error") return error?.retryable === true;
  if (state === "stopped") return stoppedBy !== "user";
  return isByPerson(view) && toolCalls.some(({ status, retryable }) => status === "error" && retryable !== false);
}
