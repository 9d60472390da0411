import { type FormEvent, type KeyboardEvent, type Ref, useState } from "react";

interface Props {
  textbox: Ref<HTMLTextAreaElement>;
  busy: boolean;
  /** Returns whether the prompt was accepted; otherwise it stays in the box. */
  onSend(prompt: string): boolean;
  onStop(): void;
}

/** Where the prompt is written. Stays open while an answer comes: the next prompt can be prepared. */
export function Composer({ textbox, busy, onSend, onStop }: Props) {
  const [prompt, setPrompt] = useState("");

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (onSend(prompt)) setPrompt("");
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
        rows={2}
        value={prompt}
        aria-label="Message"
        placeholder="Message"
        onChange={(event) => setPrompt(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {busy ? (
        <button key="stop" type="button" className="stop" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button key="send" type="submit" disabled={!prompt.trim()}>
          Send
        </button>
      )}
    </form>
  );
}
