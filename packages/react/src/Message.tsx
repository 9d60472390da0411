import { Fragment } from "react";
import type { AgentView } from "./agentStream.js";
import { AttachmentList } from "./Attaching.js";
import type { MessageProps } from "./parts.js";
import { Said } from "./Said.js";
import { ToolCard as PlainToolCard } from "./ToolCard.js";
import { isNested } from "./words.js";

/** A prompt and its answer: texts and calls in their order, and how it ended. */
export function Message({ view, parts, onRetry, retryInMs, onResend }: MessageProps) {
  const { state, prompt, thinking, notices, retrying, toolCalls, steers } = view;
  const Text = parts?.Text ?? PlainText;
  const ToolCard = parts?.ToolCard ?? PlainToolCard;
  const busy = state === "connecting" || state === "streaming";
  return (
    <div className="message" data-part="message" data-state={state}>
      <p className="prompt" data-part="prompt">
        {prompt}
      </p>
      <AttachmentList attachments={view.attachments} />
      <article data-part="answer" aria-label="Answer" aria-busy={busy}>
        {thinking && (
          <details data-part="thinking">
            <summary>Thinking</summary>
            <p>{thinking}</p>
          </details>
        )}
        {view.parts.map((part, index) => {
          if (typeof part === "string") return <Text key={index} text={part} />;
          const number = toolCalls.indexOf(part) + 1;
          return (
            <Fragment key={index}>
              {!isNested(part, toolCalls) && <ToolCard call={part} view={view} parts={parts} />}
              <Said steers={steers.filter(({ called }) => called === number)} />
            </Fragment>
          );
        })}
        <Said steers={steers.filter(({ called }) => !called)} busy={busy} onResend={onResend} />
        {notices.map(({ level, message }, index) => (
          <p key={index} data-part="notice" data-level={level}>
            {message}
          </p>
        ))}
        {view.attempt && (
          <p data-part="notice" data-level="warning">
            The run was interrupted, and began again.
          </p>
        )}
        {retrying && (
          <p data-part="notice" data-level="warning">
            The model did not answer ({retrying.code}). Attempt {retrying.attempt} of {retrying.maxAttempts} follows.
          </p>
        )}
        <Ending view={view} onRetry={onRetry} retryInMs={retryInMs} />
      </article>
    </div>
  );
}

function PlainText({ text }: { text: string }) {
  return (
    <p className="text" data-part="text" style={{ whiteSpace: "pre-wrap" }}>
      {text}
    </p>
  );
}

/** Why there is no more, and the retry. */
function Ending({ view, onRetry, retryInMs = 0 }: { view: AgentView; onRetry?: () => void; retryInMs?: number }) {
  const { state, error, stoppedBy, stopError, stopReason } = view;
  const mayRetry = state === "error" ? error?.retryable : state === "stopped" && stoppedBy !== "user";
  const seconds = Math.ceil(retryInMs / 1000);
  return (
    <>
      {state === "error" && (
        <p role="alert" data-part="error" data-code={error?.code}>
          {error?.message}
        </p>
      )}
      {state === "stopped" && <p data-part="stopped">{stoppedBy === "user" ? "Stopped." : "Stopped by the server."}</p>}
      {stopError && (
        <p role="alert" data-part="error" data-code={stopError.code}>
          The server could not be told, and may go on: {stopError.message}
        </p>
      )}
      {stopReason && stopReason !== "end_turn" && <p data-part="notice">The answer ends early ({stopReason}).</p>}
      {onRetry && mayRetry && (
        <button type="button" data-part="retry" onClick={onRetry} disabled={seconds > 0}>
          {seconds > 0 ? `Retry in ${seconds} s` : "Retry"}
        </button>
      )}
    </>
  );
}
