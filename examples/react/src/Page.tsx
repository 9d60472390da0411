import {
  type AgentStreamOptions,
  type AgentView,
  Composer,
  isByPerson,
  plainName,
  settlement,
  type Steer,
  useAgentStream,
  useStickToBottom,
} from "@agent-workers/react";
import { type ComponentType, useRef, useState } from "react";
import { Asked } from "./Asked";
import type { ExchangeProps } from "./Exchange";

interface Props {
  options: AgentStreamOptions;
  label: string;
  hint: string;
  /** Shows a prompt and its answer. */
  Shown: ComponentType<ExchangeProps>;
}

/** The messages so far, the live answer, what the agent asks, and a textbox. */
export function Page({ options, label, hint, Shown }: Props) {
  const chat = useAgentStream(options);
  const { send, stop, retry, decide: _, answer: __, steer, retryInMs, ...view } = chat;
  const [past, setPast] = useState<AgentView[]>([]);
  const textbox = useRef<HTMLTextAreaElement>(null);
  const scroll = useStickToBottom(view);
  const busy = view.state === "connecting" || view.state === "streaming";

  // The button that was pressed is about to disappear: without this, the keyboard focus would be lost.
  const focusTextbox = () => textbox.current?.focus();
  const begin = (prompt: string) => {
    const sent = send(prompt);
    if (sent && view.prompt) setPast([...past, view]);
    return sent;
  };
  const submit = (text: string) => {
    const sent = busy ? steer(text) : begin(text);
    focusTextbox();
    return sent;
  };
  const resend = ({ id, text }: Steer) => {
    if (busy) steer(text, id);
    else begin(text);
    focusTextbox();
  };
  const again = () => {
    retry();
    focusTextbox();
  };
  const halt = () => {
    stop();
    focusTextbox();
  };

  return (
    <section className="agent-chat" aria-label={label}>
      <div
        className="scroll"
        ref={scroll.ref}
        onScroll={scroll.onScroll}
        tabIndex={0}
        role="group"
        aria-label="Messages"
      >
        {!view.prompt && <p className="hint">{hint}</p>}
        {past.map((exchange, index) => (
          <Shown key={index} view={exchange} />
        ))}
        {view.prompt && (
          <Shown key={past.length} view={view} onRetry={again} retryInMs={retryInMs} onResend={resend} />
        )}
      </div>
      <Asked chat={chat} focusTextbox={focusTextbox} />
      <Composer textbox={textbox} busy={busy} maySteer={!isByPerson(view)} onSend={submit} onStop={halt} />
      <footer>
        <span className={`status ${view.state}`} data-testid="status">
          {view.reconnecting ? "reconnecting" : view.state}
        </span>
        {view.simulated && <span className="badge">simulated</span>}
        {view.model && <span>{view.model}</span>}
      </footer>
      <p className="for-ears" aria-live="polite" aria-atomic="true" data-testid="announcer">
        {announcement(view)}
      </p>
    </section>
  );
}

/** What a screen reader says: that an answer begins, and the whole answer at its end. Errors are alerts of their own. */
function announcement({ state, text, permissions, replies }: AgentView): string {
  if (state === "connecting" || state === "streaming") {
    const settled = permissions.filter(({ resolved }) => resolved).at(-1);
    return settled ? `${plainName(settled.name)}: ${settlement(settled, replies[settled.id])}` : "Answering.";
  }
  if (state === "stopped") return "Stopped.";
  return state === "done" ? text : "";
}
