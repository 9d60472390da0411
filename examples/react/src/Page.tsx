import { type ComponentType, type ReactNode, useRef, useState } from "react";
import type { AgentStreamOptions, AgentView } from "./agentStream";
import { Composer } from "./Composer";
import type { ExchangeProps } from "./Exchange";
import { type AgentChat, useAgentStream } from "./useAgentStream";
import { useStickToBottom } from "./useStickToBottom";
import { plainName, settlement } from "./words";

interface Props {
  options: AgentStreamOptions;
  label: string;
  hint: string;
  /** Shows a prompt and its answer. */
  Shown: ComponentType<ExchangeProps>;
  /** What stands between the messages and the textbox. */
  between?(chat: AgentChat, focusTextbox: () => void): ReactNode;
}

/** The messages so far, the live answer, and a textbox. */
export function Page({ options, label, hint, Shown, between }: Props) {
  const chat = useAgentStream(options);
  const { send, stop, retry, decide: _, retryInMs, ...view } = chat;
  const [past, setPast] = useState<AgentView[]>([]);
  const textbox = useRef<HTMLTextAreaElement>(null);
  const scroll = useStickToBottom(view);
  const busy = view.state === "connecting" || view.state === "streaming";

  // The button that was pressed is about to disappear: without this, the keyboard focus would be lost.
  const focusTextbox = () => textbox.current?.focus();
  const submit = (prompt: string) => {
    const sent = send(prompt);
    if (sent && view.prompt) setPast([...past, view]);
    focusTextbox();
    return sent;
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
        {view.prompt && <Shown key={past.length} view={view} onRetry={again} retryInMs={retryInMs} />}
      </div>
      {between?.(chat, focusTextbox)}
      <Composer textbox={textbox} busy={busy} onSend={submit} onStop={halt} />
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
function announcement({ state, text, questions, replies }: AgentView): string {
  if (state === "connecting" || state === "streaming") {
    const settled = questions.filter(({ resolved }) => resolved).at(-1);
    return settled ? `${plainName(settled.name)}: ${settlement(settled, replies[settled.id])}` : "Answering.";
  }
  if (state === "stopped") return "Stopped.";
  return state === "done" ? text : "";
}
