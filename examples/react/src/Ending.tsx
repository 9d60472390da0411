import { type AgentView, isByPerson, type NamedCall, plainName, type Problem } from "@agent-workers/react";
import type { ExchangeProps } from "./Exchange";

/** How the run ended, and what it cost. */
export function Ending({ view, onRetry, retryInMs = 0 }: ExchangeProps) {
  if (view.state === "error") return <Failed view={view} onRetry={onRetry} retryInMs={retryInMs} />;
  if (view.state === "stopped") {
    const byOther = view.stoppedBy !== "user";
    return (
      <p className="mark">
        {byOther ? "Stopped by the server." : "Stopped."}{" "}
        {byOther && onRetry && <button onClick={onRetry}>Retry</button>}
        {view.stopError && (
          <span role="alert">
            The server could not be told, and may go on: {view.stopError.message} <small>({view.stopError.code})</small>
          </span>
        )}
      </p>
    );
  }
  const cut = view.stopReason && view.stopReason !== "end_turn";
  return (
    <>
      {cut && <p className="mark">The answer ends early ({view.stopReason}).</p>}
      {view.pending && <p className="note">Waits for a decision: {plainName(view.pending.name)}.</p>}
      {view.denials && <p className="note">Not allowed: {names(view.denials)}.</p>}
      {view.state === "done" && <p className="numbers">{numbers(view)}</p>}
    </>
  );
}

function Failed({ view, onRetry, retryInMs = 0 }: ExchangeProps) {
  const { error, toolCalls } = view;
  const seconds = Math.ceil(retryInMs / 1000);
  // The card of a person's tool shows why it failed, and has the retry.
  const isShown = toolCalls.some(({ status, content }) => status === "error" && content === error?.message);
  if (isByPerson(view) && isShown) {
    return (
      <p role="alert" className="for-ears">
        {error?.message}
      </p>
    );
  }
  return (
    <div className="failed">
      <p role="alert">
        {error?.message} <small>({error?.code})</small>
      </p>
      {error?.details?.filter(isNews(error.message)).map(({ pointer, message, did_you_mean }, index) => (
        <p key={index}>
          <code>{pointer}</code> {message}
          {did_you_mean && ` Did you mean ${did_you_mean}?`}
        </p>
      ))}
      {onRetry && error?.retryable && (
        <p>
          <button onClick={onRetry} disabled={seconds > 0}>
            Retry
          </button>{" "}
          {seconds > 0 && `in ${seconds} s`}
        </p>
      )}
    </div>
  );
}

/** Whether the whole message does not say it already. */
const isNews = (whole: string) => (problem: Problem) => !whole.includes(problem.message);

/** "Bash, Write (2)". */
function names(calls: NamedCall[]): string {
  const counts = new Map<string, number>();
  for (const { name } of calls) counts.set(plainName(name), (counts.get(plainName(name)) ?? 0) + 1);
  return Array.from(counts, ([name, count]) => (count > 1 ? `${name} (${count})` : name)).join(", ");
}

/** "10 tokens in · 3 out · $0.0004 · 1.0 s"; unknown values are left out. */
function numbers({ usage, costUsd, durationMs }: AgentView): string {
  const { input_tokens: read, output_tokens: written } = usage ?? {};
  return [
    read !== undefined && `${read} tokens in`,
    written !== undefined && `${written} out`,
    costUsd !== undefined && `$${costUsd.toFixed(4)}`,
    durationMs !== undefined && `${(durationMs / 1000).toFixed(1)} s`,
  ]
    .filter(Boolean)
    .join(" · ");
}
