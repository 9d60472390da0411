import { memo } from "react";
import type { AgentView } from "./agentStream";
import type { ToolCall } from "./transcript";

interface Props {
  view: AgentView;
  retryInMs?: number;
  /** Absent for what is past. */
  onRetry?: () => void;
}

/** A prompt and its answer. The model's text is shown as plain text: nothing in it can become markup. */
export const Exchange = memo(function Exchange({ view, onRetry, retryInMs = 0 }: Props) {
  const busy = view.state === "connecting" || view.state === "streaming";
  return (
    <>
      <p className="prompt">{view.prompt}</p>
      <article aria-label="Answer" aria-busy={busy}>
        {view.thinking && (
          <details className="aside">
            <summary>Thinking</summary>
            <p>{view.thinking}</p>
          </details>
        )}
        {view.toolCalls.length > 0 && (
          <ul className="tools" aria-label="Tools">
            {view.toolCalls.map((call) => (
              <Tool key={call.id} call={call} />
            ))}
          </ul>
        )}
        <div className="answer" data-testid="answer">
          {view.paragraphs.map((paragraph, index) => (
            <p key={index}>{paragraph}</p>
          ))}
        </div>
        {busy && <p className="dots" aria-hidden="true" />}
        {view.notices.map((notice, index) => (
          <p key={index} className={`note ${notice.level}`}>
            {notice.message}
          </p>
        ))}
        {view.retrying && (
          <p className="note">
            The model did not answer ({view.retrying.code}). Attempt {view.retrying.attempt} of{" "}
            {view.retrying.maxAttempts} follows.
          </p>
        )}
        <Ending view={view} onRetry={onRetry} retryInMs={retryInMs} />
      </article>
    </>
  );
});

function Tool({ call }: { call: ToolCall }) {
  return (
    <li>
      <details className="aside">
        <summary>
          {call.name} <span className={`status ${call.status}`}>{call.status}</span>
        </summary>
        <pre>{JSON.stringify(call.input, null, 2)}</pre>
        {call.content && <pre>{call.content}</pre>}
      </details>
    </li>
  );
}

function Ending({ view, onRetry, retryInMs = 0 }: Props) {
  if (view.state === "error") return <Failed view={view} onRetry={onRetry} retryInMs={retryInMs} />;
  if (view.state === "stopped") {
    const byOther = view.stoppedBy !== "user";
    return (
      <p className="mark">
        {byOther ? "Stopped by the server." : "Stopped."}{" "}
        {byOther && onRetry && <button onClick={onRetry}>Retry</button>}
      </p>
    );
  }
  const cut = view.stopReason && view.stopReason !== "end_turn";
  return (
    <>
      {cut && <p className="mark">The answer ends early ({view.stopReason}).</p>}
      {view.state === "done" && <p className="numbers">{numbers(view)}</p>}
    </>
  );
}

function Failed({ view: { error }, onRetry, retryInMs = 0 }: Props) {
  const seconds = Math.ceil(retryInMs / 1000);
  return (
    <div className="failed">
      <p role="alert">
        {error?.message} <small>({error?.code})</small>
      </p>
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

/** "10 tokens in · 3 out · $0.0004 · 1.0 s"; what is unknown is left out. */
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
