import {
  type AgentStreamOptions, type Attachment, type AttachmentLimits, isByPerson, type Steer, useAttachments, useConversation,
} from "@agent-workers/react"; // prettier-ignore
import { useCallback, useRef, useState } from "react";
import { Announcer } from "./Announcer";
import { Asked } from "./Asked";
import { Composer } from "./Composer";
import { Empty } from "./Empty";
import { Exchange } from "./Exchange";
import { useFollow } from "./useFollow";
import { useOnline } from "./useOnline";
import { stateOf, WORDS } from "./words";

interface Props {
  options: AgentStreamOptions;
  title: string;
  /** What to say before the first message. */
  hint: string;
  /** Prompts to begin with. */
  examples: string[];
  /** What files may go along; none without it. */
  attachments?: AttachmentLimits;
}

/** The messages so far, the live answer, what the agent asks, and a textbox. */
export function Page({ options, title, hint, examples, attachments: limits }: Props) {
  const chat = useConversation(options);
  const { past, send, stop, retry, clear, steer, retryInMs, ...view } = chat;
  const [draft, setDraft] = useState("");
  const attachments = useAttachments(limits);
  const attached = useRef(attachments);
  attached.current = attachments;
  const textbox = useRef<HTMLTextAreaElement>(null);
  const follow = useFollow(`${past.length} ${view.prompt}`);
  const isOnline = useOnline();
  const busy = view.state === "connecting" || view.state === "streaming";

  // The button that was pressed is about to disappear: without this, the keyboard focus would be lost.
  const focusTextbox = () => textbox.current?.focus();
  const thenFocus = <T,>(act: () => T) => {
    const done = act();
    focusTextbox();
    return done;
  };
  const submit = (text: string) => thenFocus(() => (busy ? steer(text) : send(text, { attachments: attachments.files })));
  const edit = useCallback((prompt: string, sent: Attachment[] = []) => {
    setDraft(prompt);
    attached.current.clear();
    attached.current.add(sent.flatMap(({ file }) => file ?? []));
    focusTextbox();
  }, []);
  const resend = ({ id, text }: Steer) => thenFocus(() => (busy ? steer(text, id) : send(text)));

  return (
    <main className="agent-chat">
      <header>
        <h1>{title}</h1>
        {view.prompt !== undefined && (
          <button type="button" className="quiet" onClick={() => thenFocus(clear)}>
            {WORDS.newConversation}
          </button>
        )}
      </header>
      <div
        className="scroll"
        ref={follow.box}
        onScroll={follow.onScroll}
        tabIndex={0}
        role="group"
        aria-label={WORDS.messages}
      >
        <div className="column" ref={follow.content}>
          {view.prompt === undefined && <Empty hint={hint} examples={examples} onChoose={edit} />}
          {past.map((exchange, index) => (
            <Exchange key={index} view={exchange} onEdit={edit} />
          ))}
          {view.prompt !== undefined && (
            <Exchange
              key={past.length}
              view={view}
              retryInMs={retryInMs}
              onRetry={() => thenFocus(retry)}
              onSend={(prompt) => thenFocus(() => send(prompt))}
              onEdit={edit}
              onResend={resend}
            />
          )}
        </div>
      </div>
      <div className="below">
        {follow.isAway && (
          <button type="button" className="to-end" onClick={follow.toEnd}>
            ↓ {WORDS.toEnd}
          </button>
        )}
        <Asked chat={chat} focusTextbox={focusTextbox} />
        {!isOnline && (
          <p className="banner" role="status">
            {busy ? WORDS.offlineBusy : WORDS.offline}
          </p>
        )}
        <Composer
          textbox={textbox}
          draft={draft}
          busy={busy}
          maySteer={!isByPerson(view)}
          attachments={limits && attachments}
          onDraft={setDraft}
          onSend={submit}
          onStop={() => thenFocus(stop)}
        />
        <footer>
          <span className="status" data-testid="status" data-state={view.reconnecting ? "reconnecting" : view.state}>
            {stateOf(view)}
          </span>
          {view.simulated && (
            <span className="badge" title={WORDS.simulatedMore}>
              {WORDS.simulated}
            </span>
          )}
          <span className="keys" id="agent-keys">
            {WORDS.keys}
          </span>
        </footer>
      </div>
      <Announcer view={view} content={follow.content} />
    </main>
  );
}
