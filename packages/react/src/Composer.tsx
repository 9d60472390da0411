import { type FormEvent, type KeyboardEvent, type Ref, useState } from "react";
import { AttachButton, Attaching } from "./Attaching.js";
import type { Attachments } from "./useAttachments.js";

interface Props {
  textbox?: Ref<HTMLTextAreaElement>;
  busy: boolean;
  /** Whether what is sent while the agent works can reach it. */
  maySteer: boolean;
  /** The files that go along, if any can: pass them on to `send` in `onSend`. Sent, they are cleared. */
  attachments?: Attachments;
  /** Returns whether the prompt was accepted; otherwise it stays in the box. */
  onSend(prompt: string): boolean;
  onStop(): void;
}

/** Where prompts are written, and while the agent works a word to it. */
export function Composer({ textbox, busy, maySteer, attachments, onSend, onStop }: Props) {
  const [prompt, setPrompt] = useState("");

  const waits = busy && !!attachments?.files.length;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (waits || !onSend(prompt)) return;
    setPrompt("");
    if (!busy) attachments?.clear();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // While a Japanese or Chinese word is being composed, Enter accepts the word. (229: Safari says so only this way.)
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) submit(event);
  };

  return (
    <form className="composer" data-part="composer" onSubmit={submit} {...attachments?.drop}>
      {attachments && <Attaching attachments={attachments} busy={busy} />}
      <textarea
        ref={textbox}
        rows={2}
        value={prompt}
        aria-label="Message"
        placeholder={busy && maySteer ? "A word to the agent while it works" : "Message"}
        onChange={(event) => setPrompt(event.target.value)}
        onKeyDown={onKeyDown}
        onPaste={attachments?.onPaste}
      />
      {attachments && !busy && <AttachButton attachments={attachments} />}
      {(!busy || maySteer) && (
        <button key="send" type="submit" disabled={waits || !prompt.trim()}>
          Send
        </button>
      )}
      {busy && (
        <button key="stop" type="button" className="stop" onClick={onStop}>
          Stop
        </button>
      )}
    </form>
  );
}
