import { type FormEvent, type MouseEvent, useId, useState } from "react";
import type { AgentStream, AgentView } from "./agentStream.js";
import type { Permission } from "./answer.js";
import type { Behavior } from "./replies.js";
import { ReplyFailure, ReplyState } from "./ReplyState.js";
import { useCountdown } from "./useCountdown.js";
import { clock, plain, plainName, pretty } from "./words.js";

interface Props {
  permission: Permission;
  view: AgentView;
  decide: AgentStream["decide"];
  /** False so soon after something moved that a click was meant for what was there before; by default always true. */
  hasSettled?(): boolean;
}

/** The agent's question whether it may call a tool. */
export function PermissionForm({ permission, view, decide, hasSettled = () => true }: Props) {
  const [message, setMessage] = useState("");
  const name = useId();
  const why = useId();
  const left = useCountdown(permission.expiresAt);
  const reply = view.replies[permission.id];
  const replied = reply !== undefined && reply.state !== "failed";
  const bySubagent = view.toolCalls.find(({ id }) => id === permission.toolUseId)?.parentId !== undefined;

  const answer = (behavior: Behavior) =>
    decide(permission.id, behavior, behavior === "deny" ? message.trim() : undefined);
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
    <div
      className="question"
      data-part="permission"
      role="alertdialog"
      aria-labelledby={name}
      aria-describedby={why}
      tabIndex={-1}
      data-permission={permission.id}
      onSubmit={submit}
    >
      <form>
        <h2 id={name}>
          May {bySubagent ? "a subagent" : "the agent"} use {plainName(permission.name)}?
        </h2>
        <div id={why}>
          {permission.reason && <p>{plain(permission.reason)}</p>}
          <pre aria-label="input" tabIndex={0}>
            {pretty(permission.input)}
          </pre>
          {permission.inputCut && (
            <p className="warning">
              This is not all of the input: {permission.inputCut.toLocaleString("en")} bytes were left out.
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
          {permission.expiresAt !== undefined && (
            <span role="timer" data-testid="countdown">
              {left > 0 ? `${clock(left)} left, then it is denied` : "The time is up."}
            </span>
          )}
          <ReplyState reply={reply} />
        </div>
        <ReplyFailure reply={reply} />
      </form>
    </div>
  );
}
