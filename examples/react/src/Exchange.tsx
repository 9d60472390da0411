import {
  type AgentView, answered, type Attachment, AttachmentList, isNested, plain, plainName, Said, settlement, type Steer, type ToolCall,
} from "@agent-workers/react"; // prettier-ignore
import { Fragment, memo } from "react";
import { CopyButton } from "./CopyButton";
import { Ending } from "./Ending";
import { Markdown } from "./Markdown";
import { ToolCard } from "./ToolCard";
import { Waiting } from "./Waiting";
import { beganAgain, duration, retrying, spent, subtask, WORDS } from "./words";

export interface ExchangeProps {
  view: AgentView;
  retryInMs?: number;
  /** Sends the prompt again; absent for exchanges that are over. */
  onRetry?: () => void;
  /** Sends another prompt; absent for exchanges that are over. */
  onSend?: (prompt: string) => void;
  /** Begins a new conversation with a prompt; absent for exchanges that are over. */
  onAnew?: (prompt: string) => void;
  /** Whether something was said before that the agent should know. */
  isLater?: boolean;
  /** Puts a prompt into the textbox, and its files above it. */
  onEdit?: (prompt: string, sent?: Attachment[]) => void;
  /** Sends a word again; absent for exchanges that are over. */
  onResend?: (steer: Steer) => void;
}

/** A prompt and its answer: texts and tool calls in their order, and how it ended. */
export const Exchange = memo(function Exchange(props: ExchangeProps) {
  const { view, onEdit, onResend } = props;
  const busy = view.state === "connecting" || view.state === "streaming";
  return (
    <div className="exchange">
      <h2 className="for-ears">{WORDS.you}</h2>
      <div className="asked">
        <AttachmentList attachments={view.attachments} />
        <p className="prompt" dir="auto">
          {view.prompt}
        </p>
        {onEdit && !busy && (
          <button type="button" className="quiet edit" aria-label={WORDS.editMore} onClick={() => onEdit(view.prompt ?? "", view.attachments)}>
            {WORDS.edit}
          </button>
        )}
      </div>
      <article aria-label={WORDS.answer} aria-busy={busy}>
        <h2 className="for-ears">{WORDS.answer}</h2>
        {view.thinking && (
          <details className="aside">
            <summary>{WORDS.thinking}</summary>
            <p dir="auto">{view.thinking}</p>
          </details>
        )}
        {props.isLater && view.resumed === false && <p className="note">{WORDS.forgotten}</p>}
        <Parts view={view} busy={busy} onRetry={props.onRetry} />
        <Said steers={view.steers.filter(({ called }) => !called)} busy={busy} onResend={onResend} />
        {busy && <Waiting view={view} />}
        <Notices view={view} />
        <Ending {...props} />
        {!busy && <Foot view={view} />}
      </article>
    </div>
  );
});

/** What can be done with an answer, and what it took. */
function Foot({ view }: { view: AgentView }) {
  const { text, durationMs } = view;
  return (
    <div className="actions">
      {text && <CopyButton text={text} what={WORDS.answer} />}
      {durationMs !== undefined && (
        <span className="numbers" title={spent(view) || undefined} data-testid="numbers">
          {duration(durationMs)}
        </span>
      )}
    </div>
  );
}

function Parts({ view, busy, onRetry }: { view: AgentView; busy: boolean; onRetry?: () => void }) {
  const { parts, toolCalls, steers } = view;
  return parts.map((part, index) => {
    if (typeof part === "string") return <Markdown key={index} text={part} isLive={busy && index === parts.length - 1} />;
    const number = toolCalls.indexOf(part) + 1;
    return (
      <Fragment key={index}>
        {!isShownElsewhere(part, toolCalls) && <ToolCard call={part} view={view} onRetry={busy ? undefined : onRetry} />}
        <Said steers={steers.filter(({ called }) => called === number)} />
      </Fragment>
    );
  });
}

/** A parent's event comes before its children's; a call without a parent is at the top. */
const isShownElsewhere = (call: ToolCall, calls: ToolCall[]) => isNested(call, calls.slice(0, calls.indexOf(call)));

/** What is known besides the answer and the calls. */
function Notices({ view }: { view: AgentView }) {
  const { toolCalls, permissions, questions, subtasks, notices, retrying: attempt, replies } = view;
  const isLost = ({ toolUseId }: { toolUseId?: string }) => !toolCalls.some(({ id }) => id === toolUseId);
  const notes = [
    ...permissions
      .filter((permission) => permission.resolved && isLost(permission))
      .map((permission) => `${plainName(permission.name)}: ${settlement(permission, replies[permission.id])}`),
    ...questions
      .filter((question) => question.resolved && isLost(question))
      .map((question) => `${question.items.map((item) => plain(item.question)).join(" ")} ${answered(question, replies[question.id])}`),
    ...subtasks.filter(isLost).map(({ description, status }) => subtask(description, status)),
    ...(view.attempt ? [beganAgain] : []),
    ...notices.map(({ message }) => message),
    ...(attempt ? [retrying(attempt.attempt, attempt.maxAttempts)] : []),
  ];
  return notes.map((note, index) => (
    <p key={index} className="note" dir="auto">
      {note}
    </p>
  ));
}
