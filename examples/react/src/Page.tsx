import {
  type Attachment, type AttachmentLimits, type ConversationsOptions, isByPerson, type Steer, useAttachments, useConversations,
} from "@agent-workers/react"; // prettier-ignore
import { useCallback, useEffect, useRef, useState } from "react";
import { Announcer } from "./Announcer";
import { Asked } from "./Asked";
import { Composer } from "./Composer";
import { Empty } from "./Empty";
import { Exchange } from "./Exchange";
import { History, WIDE } from "./History";
import { useFollow } from "./useFollow";
import { useOnline } from "./useOnline";
import { stateOf, WORDS } from "./words";

interface Props {
  options: ConversationsOptions;
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
  const conversations = useConversations(options);
  const { chat, current, begin } = conversations;
  const { past, send, stop, retry, clear: _, steer, retryInMs, ...view } = chat;
  const [draft, setDraft] = useState("");
  const attachments = useAttachments(limits);
  const attached = useRef(attachments);
  attached.current = attachments;
  const [isListOpen, setListOpen] = useState(false);
  const [writing, setWriting] = useState(0);
  const toList = useRef<HTMLButtonElement>(null);
  const textbox = useRef<HTMLTextAreaElement>(null);
  const follow = useFollow(`${current} ${past.length} ${view.prompt}`);
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

  const write = () => {
    setListOpen(false);
    setWriting((times) => times + 1);
  };
  // Beneath the open list nothing takes the focus: only once it has closed.
  useEffect(() => {
    if (writing > 0) focusTextbox();
  }, [writing]);
  const anew = () => {
    begin();
    write();
  };
  const closeList = () => {
    setListOpen(false);
    toList.current?.focus();
  };
  useEffect(() => {
    const wide = window.matchMedia?.(WIDE);
    const onChange = () => setListOpen(false);
    wide?.addEventListener("change", onChange);
    return () => wide?.removeEventListener("change", onChange);
  }, []);
  const begun = past.findIndex(({ sessionId }) => sessionId !== undefined);

  return (
    <main className="agent-chat">
      <header>
        <button
          ref={toList}
          type="button"
          className="quiet to-list"
          aria-label={WORDS.conversations}
          aria-expanded={isListOpen}
          aria-controls="agent-conversations"
          onClick={() => setListOpen(!isListOpen)}
        >
          ☰
        </button>
        <h1>{title}</h1>
        {view.prompt !== undefined && (
          <button type="button" className="quiet" onClick={anew}>
            {WORDS.newConversation}
          </button>
        )}
      </header>
      <History conversations={conversations} isForGood={options.recorded !== undefined} isOpen={isListOpen} onClose={closeList} onChosen={write} />
      <div
        className="scroll"
        inert={isListOpen}
        ref={follow.box}
        onScroll={follow.onScroll}
        tabIndex={0}
        role="group"
        aria-label={WORDS.messages}
      >
        <div className="column" ref={follow.content}>
          {view.prompt === undefined && <Empty hint={hint} examples={examples} onChoose={edit} />}
          {past.map((exchange, index) => (
            <Exchange key={`${current} ${index}`} view={exchange} isLater={begun >= 0 && begun < index} onEdit={edit} />
          ))}
          {view.prompt !== undefined && (
            <Exchange
              key={`${current} ${past.length}`}
              view={view}
              isLater={begun >= 0}
              onAnew={(prompt) => {
                const files = view.attachments.flatMap(({ file }) => file ?? []);
                // What a reload has lost must be attached again.
                const isWhole = files.length === view.attachments.length;
                begin(isWhole ? prompt : undefined, { attachments: files });
                if (isWhole) focusTextbox();
                else edit(prompt, view.attachments);
              }}
              retryInMs={retryInMs}
              onRetry={() => thenFocus(retry)}
              onSend={(prompt) => thenFocus(() => send(prompt))}
              onEdit={edit}
              onResend={resend}
            />
          )}
        </div>
      </div>
      <div className="below" inert={isListOpen}>
        {follow.isAway && (
          <button type="button" className="to-end" onClick={follow.toEnd}>
            ↓ {WORDS.toEnd}
          </button>
        )}
        <Asked key={current} chat={chat} focusTextbox={focusTextbox} />
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
      <Announcer key={current} view={view} content={follow.content} />
    </main>
  );
}
