import {
  type AgentView,
  answered,
  Folded,
  isAppTool,
  isByPerson,
  plain,
  plainName,
  pretty,
  Printed,
  settlement,
  textOf,
  type ToolCall,
  withoutCodes,
} from "@agent-workers/react";
import { useMemo } from "react";

interface Props {
  call: ToolCall;
  view: AgentView;
  /** Runs a person's tool again; absent for exchanges that are over. */
  onRetry?: () => void;
}

/** A tool call with all that is known of it, and below it the calls of the subagent that it started. */
export function ToolCard({ call, view, onRetry }: Props) {
  const { id, name, input, status, output } = call;
  const content = useMemo(() => legible(call), [call]);
  const busy = view.state === "connecting" || view.state === "streaming";
  const permissions = view.permissions.filter((permission) => permission.toolUseId === id);
  const question = view.questions.find(({ toolUseId }) => toolUseId === id);
  const waits = [...permissions, ...(question ? [question] : [])].some(({ resolved }) => !resolved);
  const shown = status !== "running" ? status : !busy ? "unfinished" : waits ? "waiting" : "running";
  const ran = status === "ok" || status === "error";
  const children = view.toolCalls.slice(view.toolCalls.indexOf(call) + 1).filter((other) => other.parentId === id);
  const isTold = content && output?.leftOut === 0 && textOf(output.lines).trim() === content.trim();
  // The answers are shown with their questions.
  const isAnsweredHere = question !== undefined && status === "ok" && view.replies[question.id]?.state === "sent";
  return (
    <div className={`card ${status}`} role="group" aria-label={`Tool ${plainName(name)}`} data-testid="tool">
      <p className="head">
        <strong>{plainName(name)}</strong>
        {isAppTool(name) && <span className="badge">application</span>}
        <span className={`status ${status}`} data-testid="tool-status">
          {shown}
        </span>
        {ran && call.durationMs !== undefined && <span>{(call.durationMs / 1000).toFixed(1)} s</span>}
      </p>
      {question ? <Asking call={call} view={view} /> : <Folded name="input" text={pretty(input)} cut={call.inputCut} />}
      {permissions.map((permission) => (
        <p key={permission.id} className="note">
          {busy && !permission.resolved
            ? "Waits for your answer."
            : settlement(permission, view.replies[permission.id])}
        </p>
      ))}
      {view.subtasks
        .filter((subtask) => subtask.toolUseId === id)
        .map((subtask) => (
          <p key={subtask.id} className="note">
            {subtask.description} ({subtask.status})
          </p>
        ))}
      {children.length > 0 && (
        <div className="cards" role="group" aria-label={`Calls of the subagent of ${plainName(name)}`}>
          {children.map((child) => (
            <ToolCard key={child.id} call={child} view={view} />
          ))}
        </div>
      )}
      {output && <Printed name="output" output={output} />}
      {content && !isTold && !isAnsweredHere && <Folded name="result" text={content} cut={call.contentCut} />}
      {status === "ok" && !content && !output && <p className="note">No output.</p>}
      {call.replayed && <p className="note">From the record of an earlier attempt: nothing was done again.</p>}
      {status === "error" && <Retry call={call} onRetry={busy || !isByPerson(view) ? undefined : onRetry} />}
    </div>
  );
}

/** The result for people: without codes of colours, and JSON of the application's own in lines. */
function legible({ name, content }: ToolCall): string | undefined {
  if (content === undefined || !isAppTool(name)) return content && withoutCodes(content);
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" ? pretty(value) : content;
  } catch {
    return withoutCodes(content);
  }
}

/** Whether the same call may succeed later, and for a person's own call the button that makes it again. */
function Retry({ call, onRetry }: { call: ToolCall; onRetry?: () => void }) {
  return (
    <>
      {call.retryable !== undefined && (
        <p className="note">
          {call.retryable ? "The same call may succeed later." : "The same call would fail again."}
        </p>
      )}
      {onRetry && call.retryable !== false && (
        <p>
          <button type="button" onClick={onRetry}>
            Retry
          </button>
        </p>
      )}
    </>
  );
}

/** The questions of a call, and who answered them. */
function Asking({ call, view }: Props) {
  const busy = view.state === "connecting" || view.state === "streaming";
  return view.questions
    .filter(({ toolUseId }) => toolUseId === call.id)
    .map((question) => {
      const reply = view.replies[question.id];
      const answers = (reply && reply.state !== "failed" && reply.answers) || {};
      const given = (text: string) => (Object.hasOwn(answers, text) ? [answers[text]!].flat().join(", ") : "");
      return (
        <div key={question.id} className="asking">
          {question.items.map((item, index) => (
            <p key={index}>
              {plain(item.question)} {given(item.question) && <b>{given(item.question)}</b>}
            </p>
          ))}
          <p className="note">
            {busy && !question.resolved ? "Waits for your answer." : answered(question, reply)}
          </p>
        </div>
      );
    });
}
