import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { AgentStreamOptions, AgentView } from "./agentStream";
import { Composer } from "./Composer";
import { Exchange } from "./Exchange";
import { useAgentStream } from "./useAgentStream";

/** A chat page: what was said, the live answer, and a place to write. */
export function Chat(options: AgentStreamOptions) {
  const { send, stop, retry, retryInMs, ...view } = useAgentStream(options);
  const [past, setPast] = useState<AgentView[]>([]);
  const textbox = useRef<HTMLTextAreaElement>(null);
  const scroll = useStickToBottom(view);
  const busy = view.state === "connecting" || view.state === "streaming";

  // The button that was used is about to go away: without this, so would the keyboard's place on the page.
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
    <section className="agent-chat" aria-label="Chat">
      <div
        className="scroll"
        ref={scroll.ref}
        onScroll={scroll.onScroll}
        tabIndex={0}
        role="group"
        aria-label="Messages"
      >
        {!view.prompt && <p className="hint">Enter sends, Shift+Enter starts a new line.</p>}
        {past.map((exchange, index) => (
          <Exchange key={index} view={exchange} />
        ))}
        {view.prompt && <Exchange key={past.length} view={view} onRetry={again} retryInMs={retryInMs} />}
      </div>
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

/** What a screen reader says: that an answer begins, and the whole of it at its end. Errors are alerts of their own. */
function announcement({ state, text }: AgentView): string {
  if (state === "connecting" || state === "streaming") return "Answering.";
  if (state === "stopped") return "Stopped.";
  return state === "done" ? text : "";
}

/** Keeps the end of what is said in sight, unless the reader has scrolled away from it. */
function useStickToBottom(view: AgentView) {
  const ref = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const follow = () => {
    if (ref.current && stuck.current) ref.current.scrollTop = ref.current.scrollHeight;
  };
  useLayoutEffect(() => {
    if (view.state === "connecting" && !view.reconnecting) stuck.current = true;
    follow();
  });
  useEffect(() => {
    window.addEventListener("resize", follow);
    return () => window.removeEventListener("resize", follow);
  }, []);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = ref.current!;
    stuck.current = scrollHeight - scrollTop - clientHeight < 40;
  };
  return { ref, onScroll };
}
