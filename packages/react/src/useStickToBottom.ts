import { useEffect, useLayoutEffect, useRef } from "react";
import type { AgentView } from "./agentStream.js";

/** Keeps the end of the text in sight, unless the reader has scrolled away. */
export function useStickToBottom(view: AgentView) {
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
