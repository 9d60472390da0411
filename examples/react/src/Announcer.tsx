import { type AgentView, plainName, settlement } from "@agent-workers/react";
import { type RefObject, useEffect, useRef, useState } from "react";
import { answering, longAnswer, stateOf } from "./words";

/** Characters that are read out by themselves. */
const LONGEST = 3_000;

/** What a screen reader says: that an answer begins, and the whole answer at its end. Errors are alerts of their own. */
export function Announcer({ view, content }: { view: AgentView; content: RefObject<HTMLElement | null> }) {
  const [answer, setAnswer] = useState("");
  const { state, run } = view;
  // What was said before the page came, or before somebody came back to this conversation, is no news.
  const known = useRef(state === "done" ? run : undefined);
  useEffect(() => {
    if (state !== "done" || run === known.current) return setAnswer("");
    const article = [...(content.current?.querySelectorAll("article") ?? [])].at(-1);
    // As it is shown: without the signs of Markdown.
    const texts = [...(article?.querySelectorAll("[data-testid=answer]") ?? [])].map(({ textContent }) => textContent);
    const text = texts.join(" ").trim();
    setAnswer(text.length > LONGEST ? longAnswer(text.slice(0, LONGEST)) : text || view.text || stateOf(view));
  }, [state]);
  return (
    <p className="for-ears" aria-live="polite" aria-atomic="true" data-testid="announcer">
      {state === "done" ? answer : meanwhile(view)}
    </p>
  );
}

function meanwhile(view: AgentView): string {
  const { state, permissions, replies } = view;
  if (state === "stopped") return stateOf(view);
  if (state !== "connecting" && state !== "streaming") return "";
  const settled = permissions.filter(({ resolved }) => resolved).at(-1);
  return settled ? `${plainName(settled.name)}: ${settlement(settled, replies[settled.id])}` : answering;
}
