import type { AgentView } from "@agent-workers/react";
import { useEffect, useRef, useState } from "react";
import { waiting, WORDS } from "./words";

/** That the agent is at work, while nothing is to be seen of it; after some time, how long that has been so. */
export function Waiting({ view }: { view: AgentView }) {
  const { text, thinking, toolCalls, retrying, permissions, questions, reconnecting } = view;
  const seconds = useSecondsSince([text, thinking, toolCalls, retrying, reconnecting]);
  const isAsked = [...permissions, ...questions].some(({ resolved }) => !resolved);
  if (isAsked || (text && seconds < 2)) return null;
  const words = reconnecting ? WORDS.reconnecting : waiting(seconds, text !== "" || toolCalls.length > 0);
  return (
    <p className="waiting">
      <span className="dots" aria-hidden="true" />
      {words}
    </p>
  );
}

/** Whole seconds since one of these has changed. */
function useSecondsSince(parts: unknown[]): number {
  const [seconds, setSeconds] = useState(0);
  const since = useRef(0);
  useEffect(() => {
    since.current = performance.now();
    setSeconds(0);
    const timer = setInterval(() => setSeconds(Math.floor((performance.now() - since.current) / 1000)), 1000);
    return () => clearInterval(timer);
  }, parts);
  return seconds;
}
