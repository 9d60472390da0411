import { type FormEvent, type MouseEvent, useId, useLayoutEffect, useRef, useState } from "react";
import type { AgentStream, AgentView } from "./agentStream";
import type { Behavior } from "./decision";
import type { Question } from "./transcript";
import { useCountdown } from "./useCountdown";
import { clock, plainName, plain, pretty } from "./words";

interface Props {
  view: AgentView;
  decide: AgentStream["decide"];
  focusTextbox(): void;
}

/** A click so soon after questions moved was meant for what was there before. */
const SETTLE_MS = 500;

/** The open questions, each with its own dialog: the page goes on beside them, so that its Stop button works. */
export function Questions({ view, decide, focusTextbox }: Props) {
  const busy = view.state === "connecting" || view.state === "streaming";
  const open = busy ? view.questions.filter(({ resolved }) => !resolved) : [];
  const { panel, hasSettled } = usePlaces(open.map(({ id }) => id).join(" "), focusTextbox);
  if (open.length === 0) return null;
  const label = open.length > 1 ? `${open.length} questions` : "A question";
  return (
    <div className="questions" ref={panel} role="group" aria-label={label}>
      {open.map((question) => (
        <Dialog key={question.id} question={question} view={view} decide={decide} hasSettled={hasSettled} />
      ))}
    </div>
  );
}

interface DialogProps extends Omit<Props, "focusTextbox"> {
  question: Question;
  hasSettled(): boolean;
}

function Dialog({ question, view, decide, hasSettled }: DialogProps) {
  const [message, setMessage] = useState("");
  const name = useId();
  const why = useId();
  const left = useCountdown(question.expiresAt);
  const reply = view.replies[question.id];
  const replied = reply !== undefined && reply.state !== "failed";
  const bySubagent = view.toolCalls.find(({ id }) => id === question.toolUseId)?.parentId !== undefined;

  const answer = (behavior: Behavior) =>
    decide(question.id, behavior, behavior === "deny" ? message.trim() : undefined);
  const onClick = (behavior: Behavior) => (event: MouseEvent) => {
    const byPointer = event.detail > 0;
    if (!byPointer || hasSettled()) answer(behavior);
  };
  // Enter in the message denies: that is what the message is for.
  const submit = (event: FormEvent) => {
    event.preventDefault();
    answer("deny");
  };

  return (
    <form
      className="question"
      role="alertdialog"
      aria-labelledby={name}
      aria-describedby={why}
      tabIndex={-1}
      data-permission={question.id}
      onSubmit={submit}
    >
      <h2 id={name}>
        May {bySubagent ? "a subagent" : "the agent"} use {plainName(question.name)}?
      </h2>
      <div id={why}>
        {question.reason && <p>{plain(question.reason)}</p>}
        <pre aria-label="input" tabIndex={0}>
          {pretty(question.input)}
        </pre>
        {question.inputCut && (
          <p className="warning">
            This is not all of the input: {question.inputCut.toLocaleString("en")} bytes were left out.
          </p>
        )}
      </div>
      <input
        value={message}
        maxLength={2000}
        aria-label="Why not"
        placeholder="Why not, if you deny"
        onChange={(event) => setMessage(event.target.value)}
      />
      <div className="choices">
        {/* Not disabled: the keyboard would lose its place. What is pressed twice is sent once. */}
        <button type="button" aria-disabled={replied} onClick={onClick("allow")}>
          Approve
        </button>
        <button type="button" className="deny" aria-disabled={replied} onClick={onClick("deny")}>
          Deny
        </button>
        {question.expiresAt !== undefined && (
          <span role="timer" data-testid="countdown">
            {left > 0 ? `${clock(left)} left, then it is denied` : "The time is up."}
          </span>
        )}
        <span role="status">
          {reply?.state === "sending" && "Sending your answer …"}
          {reply?.state === "sent" && "Your answer has arrived."}
        </span>
      </div>
      {reply?.state === "failed" && (
        <p role="alert">
          Your answer was not taken: {reply.failure?.message} <small>({reply.failure?.code})</small>
        </p>
      )}
    </form>
  );
}

/** Keeps the focus, and ignores clicks that come too soon, when questions come and go. */
function usePlaces(ids: string, focusTextbox: () => void) {
  const panel = useRef<HTMLDivElement>(null);
  const before = useRef("");
  const movedAt = useRef(0);
  useLayoutEffect(() => {
    if (ids === before.current) return;
    const hadAny = before.current !== "";
    before.current = ids;
    movedAt.current = performance.now();
    if (!isFocusFree()) return;
    const first = panel.current?.querySelector<HTMLElement>("[role=alertdialog]");
    // The dialog itself, not one of its buttons: a key that was meant for something else must not answer.
    if (first) first.focus();
    else if (hadAny) focusTextbox();
  });
  const hasSettled = () => performance.now() - movedAt.current >= SETTLE_MS;
  return { panel, hasSettled };
}

/** True if the focus may move: nothing has it, or an empty textbox. */
function isFocusFree(): boolean {
  const active = document.activeElement;
  return !active || active === document.body || (active instanceof HTMLTextAreaElement && !active.value);
}
