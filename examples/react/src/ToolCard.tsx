import {
  type AgentView, answered, callState, Folded, isAppTool, isByPerson, plain, plainName, pretty, Printed, settlement, textOf,
  type ToolCall, withoutCodes,
} from "@agent-workers/react"; // prettier-ignore
import { type SyntheticEvent, useMemo, useState } from "react";
import { Input } from "./Input";
import { deed, told } from "./toolWords";
import { callsOf, duration, subtask, WORDS } from "./words";

interface Props {
  call: ToolCall;
  view: AgentView;
  /** Runs a person's tool again; absent for exchanges that are over. */
  onRetry?: () => void;
}

/** A tool call in one line, which opens to all that is known of it, and to the calls of the subagent that it started. */
export function ToolCard({ call, view, onRetry }: Props) {
  const { id, name, status, output } = call;
  const state = callState(call, view);
  const hasEnded = status === "ok" || status === "error";
  const question = view.questions.some(({ toolUseId }) => toolUseId === id);
  const children = view.toolCalls.slice(view.toolCalls.indexOf(call) + 1).filter(({ parentId }) => parentId === id);
  // What is asked is the point of some calls; others are open while they print.
  const isOfInterest = isByPerson(view) || question || (state === "running" && (output !== undefined || children.length > 0));
  const [opened, setOpened] = useState<boolean>();
  const onToggle = ({ currentTarget, target }: SyntheticEvent<HTMLDetailsElement>) => {
    if (target === currentTarget && currentTarget.open !== (opened ?? isOfInterest)) setOpened(currentTarget.open);
  };
  const { verb, object } = deed(call, view);
  return (
    <div
      className="card"
      role="group"
      aria-label={`Tool ${plainName(name)}`}
      data-testid="tool"
      data-tool={plainName(name)}
      data-state={state}
    >
      <details open={opened ?? isOfInterest} onToggle={onToggle}>
        <summary className="head">
          <strong>{verb}</strong>
          {object && <code dir="auto">{object}</code>}
          <span className={state === "ok" ? "state for-ears" : "state"} data-testid="tool-status">
            {told(state)}
          </span>
          {hasEnded && call.durationMs !== undefined && <span className="took">{duration(call.durationMs)}</span>}
        </summary>
        <div className="inside">
          {isAppTool(name) && <span className="badge">{WORDS.application}</span>}
          {!question && <Input call={call} />}
          <Notes call={call} view={view} />
          {children.length > 0 && (
            <div className="cards" role="group" aria-label={callsOf(plainName(name))}>
              {children.map((child) => (
                <ToolCard key={child.id} call={child} view={view} />
              ))}
            </div>
          )}
          {output && <Printed name={WORDS.output} output={output} />}
          <Result call={call} view={view} />
          {status === "error" && <Retry call={call} onRetry={isByPerson(view) ? onRetry : undefined} />}
        </div>
      </details>
      {question && <Asking call={call} view={view} />}
    </div>
  );
}

/** What people have said to the call, and what a subagent says of itself. */
function Notes({ call: { id }, view }: Props) {
  const busy = view.state === "connecting" || view.state === "streaming";
  return (
    <>
      {view.permissions
        .filter(({ toolUseId }) => toolUseId === id)
        .map((permission) => (
          <p key={permission.id} className="note">
            {busy && !permission.resolved
              ? WORDS.waitsForAnswer
              : settlement(permission, view.replies[permission.id])}
          </p>
        ))}
      {view.subtasks
        .filter(({ toolUseId }) => toolUseId === id)
        .map(({ id: task, description, status }) => (
          <p key={task} className="note">
            {subtask(description, status)}
          </p>
        ))}
    </>
  );
}

function Result({ call, view }: Props) {
  const { id, status, output, contentCut, replayed } = call;
  const content = useMemo(() => legible(call), [call]);
  const isTold = content && output?.leftOut === 0 && textOf(output.lines).trim() === content.trim();
  // The answers are shown with their questions.
  const isAnswer = view.questions.some(({ id: question, toolUseId }) => toolUseId === id && view.replies[question]?.state === "sent");
  return (
    <>
      {content && !isTold && !(isAnswer && status === "ok") && <Folded name={WORDS.result} text={content} cut={contentCut} />}
      {status === "ok" && !content && !output && <p className="note">{WORDS.noOutput}</p>}
      {replayed && <p className="note">{WORDS.replayed}</p>}
    </>
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
        <p className="note">{call.retryable ? WORDS.mayWorkLater : WORDS.wouldFail}</p>
      )}
      {onRetry && call.retryable !== false && (
        <p>
          <button type="button" onClick={onRetry}>
            {WORDS.again}
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
            <p key={index} dir="auto">
              {plain(item.question)} {given(item.question) && <b>{given(item.question)}</b>}
            </p>
          ))}
          <p className="note">{busy && !question.resolved ? WORDS.waitsForAnswer : answered(question, reply)}</p>
        </div>
      );
    });
}
