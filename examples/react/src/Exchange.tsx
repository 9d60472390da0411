import { type AgentView, Said, type Steer } from "@agent-workers/react";
import { memo, type ReactNode } from "react";
import { Ending } from "./Ending";
import { ToolCard } from "./ToolCard";

export interface ExchangeProps {
  view: AgentView;
  retryInMs?: number;
  /** Absent for exchanges that are over. */
  onRetry?: () => void;
  /** Sends a word again; absent for exchanges that are over. */
  onResend?: (steer: Steer) => void;
}

/** A prompt and its answer. The model's text is shown as plain text: nothing in it can become markup. */
export const Exchange = memo(function Exchange(props: ExchangeProps) {
  const { view, onRetry } = props;
  const { toolCalls, paragraphs } = view;
  const ids = new Set(toolCalls.map(({ id }) => id));
  return (
    <Frame {...props} steers={view.steers}>
      {toolCalls
        .filter(({ parentId }) => parentId === undefined || !ids.has(parentId))
        .map((call) => (
          <ToolCard key={call.id} call={call} view={view} onRetry={onRetry} />
        ))}
      <div className="answer" data-testid="answer">
        {paragraphs.map((paragraph, index) => (
          <p key={index}>{paragraph}</p>
        ))}
      </div>
    </Frame>
  );
});

/** Everything except the answer itself; the words that were said in between and have no place in it. */
export function Frame(props: ExchangeProps & { steers: Steer[]; children: ReactNode }) {
  const { view, steers, onRetry, retryInMs, onResend, children } = props;
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
        {children}
        <Said steers={steers} busy={busy} onResend={onResend} />
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
}
