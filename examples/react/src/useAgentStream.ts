import { useEffect, useReducer, useState, useSyncExternalStore } from "react";
import { AgentStream, type AgentStreamOptions, type AgentView } from "./agentStream";

export interface AgentChat extends AgentView {
  /** Milliseconds until `retry()` works, in steps of a second; 0 when it does. */
  retryInMs: number;
  send(prompt: string): boolean;
  stop(): void;
  retry(): boolean;
}

/** Streams answers of an agent. The options are read once: give the component another `key` to change them. */
export function useAgentStream(options: AgentStreamOptions): AgentChat {
  const [stream] = useState(() => new AgentStream(options));
  const view = useSyncExternalStore(stream.subscribe, stream.view, stream.view);
  const retryInMs = useCountdown(view.retryAt);
  useEffect(() => () => stream.stop(), [stream]);
  return { ...view, retryInMs, send: stream.send, stop: stream.stop, retry: stream.retry };
}

function useCountdown(until = 0): number {
  const [, tick] = useReducer((ticks: number) => ticks + 1, 0);
  const left = Math.max(0, until - Date.now());
  useEffect(() => {
    if (left === 0) return;
    const timer = setTimeout(tick, Math.min(left, 1000));
    return () => clearTimeout(timer);
  });
  return left;
}
