import { memo, type ReactNode } from "react";
import type { AgentView } from "./agentStream";
import { Ending } from "./Ending";
import type { ToolCall } from "./transcript";
import { plainName } from "./words";

export interface ExchangeProps {
  view: AgentView;
  retryInMs?: number;
  /** Absent for exchanges that are over. */
  onRetry?: () => void;
}

/** A prompt and its answer. The model's text is shown as plain text: nothing in it can become markup. */
export const Exchange = memo(function Exchange(props: ExchangeProps) {
  const { toolCalls, paragraphs } = props.view;
  return (
    <Frame {...props}>
      {toolCalls.length > 0 && (
        <ul className="tools" aria-label="Tools">
          {toolCalls.map((call) => (
            <Tool key={call.id} call={call} />
          ))}
        </ul>
      )}
      <div className="answer" data-testid="answer">
        {paragraphs.map((paragraph, index) => (
          <p key={index}>{paragraph}</p>
        ))}
      </div>
    </Frame>
  );
});

/** Everything except the answer itself. */
export function Frame({ view, onRetry, retryInMs, children }: ExchangeProps & { children: ReactNode }) {
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

function Tool({ call }: { call: ToolCall }) {
  return (
    <li>
      <details className="aside">
        <summary>
          {plainName(call.name)} <span className={`status ${call.status}`}>{call.status}</span>
        </summary>
        <pre>{JSON.stringify(call.input, null, 2)}</pre>
        {call.content && <pre>{call.content}</pre>}
      </details>
    </li>
  );
}
