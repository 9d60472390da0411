import { useEffect, useState, useSyncExternalStore } from "react";
import { AgentStream, type AgentStreamOptions, type AgentView, type SendOptions } from "./agentStream.js";
import { useCountdown } from "./useCountdown.js";

export interface AgentChat extends AgentView {
  /** Milliseconds until `retry()` works, in steps of a second; 0 when it works. */
  retryInMs: number;
  send(prompt: string, options?: SendOptions): boolean;
  stop(): void;
  retry(): boolean;
  decide: AgentStream["decide"];
  answer: AgentStream["answer"];
  steer: AgentStream["steer"];
}

/** Streams answers of an agent. The options are read once: give the component another `key` to change them. */
export function useAgentStream(options: AgentStreamOptions): AgentChat {
  const [stream] = useState(() => new AgentStream(options));
  const view = useSyncExternalStore(stream.subscribe, stream.view, stream.view);
  const retryInMs = useCountdown(view.retryAt);
  useEffect(() => {
    stream.resume();
    return () => stream.leave();
  }, [stream]);
  return chatOf(stream, view, retryInMs);
}

/** A stream as the hooks return it. */
export function chatOf(stream: AgentStream, view: AgentView, retryInMs: number): AgentChat {
  const { send, stop, retry, decide, answer, steer } = stream;
  return { ...view, retryInMs, send, stop, retry, decide, answer, steer };
}
