import { AttachButton, Attaching, type Attachments } from "@agent-workers/react";
import type { FormEvent, KeyboardEvent, RefObject } from "react";
import { WORDS } from "./words";

interface Props {
  textbox: RefObject<HTMLTextAreaElement | null>;
  draft: string;
  busy: boolean;
  /** Whether what is sent while the agent works can reach it. */
  maySteer: boolean;
  /** The files that go along, if any can. */
  attachments?: Attachments;
  onDraft(draft: string): void;
  /** Returns whether the prompt was accepted; otherwise it stays in the box. */
  onSend(prompt: string): boolean;
  onStop(): void;
}

/** Where prompts are written, and while the agent works a word to it. */
export function Composer({ textbox, draft, busy, maySteer, attachments, onDraft, onSend, onStop }: Props) {
  const waits = busy && !!attachments?.files.length;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (waits || !onSend(draft)) return;
    onDraft("");
    if (!busy) attachments?.clear();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // While a Japanese or Chinese word is being composed, Enter accepts the word. (229: Safari says so only this way.)
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) submit(event);
  };
  return (
    <form className="composer" onSubmit={submit} {...attachments?.drop}>
      {attachments && <Attaching attachments={attachments} busy={busy} />}
      {attachments && !busy && (
        <AttachButton attachments={attachments}>
          <PaperClip />
        </AttachButton>
      )}
      <textarea
        ref={textbox}
        rows={1}
        dir="auto"
        value={draft}
        aria-label={WORDS.message}
        aria-describedby="agent-keys"
        placeholder={busy && maySteer ? WORDS.placeholderBusy : WORDS.placeholder}
        onChange={(event) => onDraft(event.target.value)}
        onKeyDown={onKeyDown}
        onPaste={attachments?.onPaste}
      />
      {(!busy || maySteer) && (
        <button key="send" type="submit" disabled={waits || !draft.trim()}>
          {WORDS.send}
        </button>
      )}
      {busy && (
        <button key="stop" type="button" className="stop" onClick={onStop}>
          {WORDS.stop}
        </button>
      )}
    </form>
  );
}

const PaperClip = () => (
  <svg aria-hidden="true" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" strokeWidth="1.8">
    <path d="M8 13l6.6-6.6a3 3 0 0 1 4.3 4.3l-8.5 8.5a5 5 0 0 1-7.1-7.1L11 4.4" strokeLinecap="round" strokeLinejoin="round" />
  </svg>
);
