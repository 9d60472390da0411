import { useEffect, useState } from "react";
import { WORDS } from "./words";

interface Props {
  text: string;
  /** What is copied, for those who do not see where the button stands. */
  what: string;
}

const TOLD_MS = 2_000;

/** Copies a text, and says that it has. */
export function CopyButton({ text, what }: Props) {
  const [told, setTold] = useState("");
  useEffect(() => {
    if (!told) return;
    const timer = setTimeout(() => setTold(""), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const onClick = async () => setTold((await copy(text)) ? WORDS.copied : WORDS.notCopied);
  return (
    <button type="button" className="quiet copy" aria-label={`${told || WORDS.copy}: ${what}`} onClick={onClick}>
      <span aria-live="polite">{told || WORDS.copy}</span>
    </button>
  );
}

/** Returns whether it worked. `navigator.clipboard` exists in secure contexts only: HTTPS or loopback. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyAsBefore(text);
  }
}

function copyAsBefore(text: string): boolean {
  const box = document.body.appendChild(document.createElement("textarea"));
  box.value = text;
  box.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    box.remove();
  }
}
