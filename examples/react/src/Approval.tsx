import { type AgentChat, type Behavior, clock, type Permission, plain, ReplyFailure, ReplyState, useCountdown } from "@agent-workers/react";
import { type FormEvent, type MouseEvent, useEffect, useId, useRef, useState } from "react";
import { WholeInput } from "./Input";
import { mayDo } from "./toolWords";
import { denials, notAll, WORDS } from "./words";

interface Props {
  permission: Permission;
  chat: AgentChat;
  /** False so soon after something moved that a click was meant for what was there before. */
  hasSettled(): boolean;
}

/** The agent's question whether it may call a tool: what it would do, as a person reads it, and then the answers. */
export function Approval({ permission, chat, hasSettled }: Props) {
  const { id, toolUseId, name, input, inputCut, reason, expiresAt } = permission;
  const [isDenying, setDenying] = useState(false);
  const title = useId();
  const what = useId();
  const left = useCountdown(expiresAt);
  const reply = chat.replies[id];
  const isReplied = reply !== undefined && reply.state !== "failed";
  const isBySubagent = chat.toolCalls.find((call) => call.id === toolUseId)?.parentId !== undefined;

  const answer = (behavior: Behavior, message?: string) => chat.decide(id, behavior, message);
  const onClick = (act: () => void) => (event: MouseEvent) => {
    const byPointer = event.detail > 0;
    if (!byPointer || hasSettled()) act();
  };

  return (
    <div
      className="question"
      role="alertdialog"
      aria-labelledby={title}
      aria-describedby={what}
      tabIndex={-1}
      data-permission={id}
    >
      <h2 id={title}>{mayDo(name, input, isBySubagent)}</h2>
      <div id={what}>
        {reason && <p dir="auto">{plain(reason)}</p>}
        <WholeInput name={name} input={input} />
        {inputCut && <p className="warning">{notAll(inputCut)}</p>}
      </div>
      {isDenying ? (
        <Denial isReplied={isReplied} onDeny={(message) => answer("deny", message)} onBack={() => setDenying(false)} />
      ) : (
        <div className="choices">
          {/* Not disabled: the keyboard would lose its place. What is pressed twice is sent once. */}
          <button type="button" aria-disabled={isReplied} onClick={onClick(() => answer("allow"))}>
            {WORDS.allow}
          </button>
          <button type="button" className="deny" aria-disabled={isReplied} onClick={onClick(() => isReplied || setDenying(true))}>
            {WORDS.deny}
          </button>
          <Left ms={left} isTimed={expiresAt !== undefined && !isReplied} />
          <ReplyState reply={reply} />
        </div>
      )}
      {isDenying && (
        <div className="choices">
          <Left ms={left} isTimed={expiresAt !== undefined && !isReplied} />
          <ReplyState reply={reply} />
        </div>
      )}
      <ReplyFailure reply={reply} />
    </div>
  );
}

function Left({ ms, isTimed }: { ms: number; isTimed: boolean }) {
  if (!isTimed) return null;
  return (
    <span role="timer" data-testid="countdown">
      {ms > 0 ? denials(clock(ms)) : WORDS.timeUp}
    </span>
  );
}

/** A word to the agent with the denial, which may be left empty. Enter denies. */
function Denial({ isReplied, onDeny, onBack }: { isReplied: boolean; onDeny(message: string): void; onBack(): void }) {
  const [message, setMessage] = useState("");
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onDeny(message.trim());
  };
  return (
    <form className="denial" onSubmit={submit}>
      <input
        ref={box}
        value={message}
        maxLength={2000}
        dir="auto"
        aria-label={WORDS.why}
        placeholder={WORDS.whyMore}
        onChange={(event) => setMessage(event.target.value)}
      />
      <div className="choices">
        <button type="submit" className="deny" aria-disabled={isReplied}>
          {WORDS.deny}
        </button>
        <button type="button" className="quiet" onClick={onBack}>
          {WORDS.back}
        </button>
      </div>
    </form>
  );
}
