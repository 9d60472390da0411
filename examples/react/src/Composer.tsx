import type { FormEvent, KeyboardEvent, RefObject } from "react";
import { WORDS } from "./words";

interface Props {
  textbox: RefObject<HTMLTextAreaElement | null>;
  draft: string;
  busy: boolean;
  /** Whether what is sent while the agent works can reach it. */
  maySteer: boolean;
  onDraft(draft: string): void;
  /** Returns whether the prompt was accepted; otherwise it stays in the box. */
  onSend(prompt: string): boolean;
  onStop(): void;
}

/** Where prompts are written, and while the agent works a word to it. */
export function Composer({ textbox, draft, busy, maySteer, onDraft, onSend, onStop }: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (onSend(draft)) onDraft("");
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // While a Japanese or Chinese word is being composed, Enter accepts the word. (229: Safari says so only this way.)
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) submit(event);
  };
  return (
    <form className="composer" onSubmit={submit}>
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
      />
      {(!busy || maySteer) && (
        <button key="send" type="submit" disabled={!draft.trim()}>
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
