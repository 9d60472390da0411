import { useEffect, useState, useSyncExternalStore } from "react";
import type { AgentStreamOptions, AgentView } from "./agentStream.js";
import { Conversation } from "./exchanges.js";
import { type AgentChat, chatOf } from "./useAgentStream.js";
import { useCountdown } from "./useCountdown.js";

export interface AgentConversation extends AgentChat {
  /** The exchanges before the last one, which is the rest of this object. They survive a reload. */
  past: AgentView[];
  /** Stops the run, forgets all exchanges, and begins a new conversation. */
  clear(): void;
}

/** A conversation with its history, which a reload keeps for the tab. The options are read once, as by `useAgentStream`. */
export function useConversation(options: AgentStreamOptions): AgentConversation {
  const [conversation] = useState(() => new Conversation(options));
  const { stream } = conversation;
  useEffect(() => {
    stream.resume();
    return () => stream.leave();
  }, [stream]);
  return useExchanges(conversation);
}

/** What is said in a conversation, also where another one takes its place. */
export function useExchanges({ stream, past, send, clear }: Conversation): AgentConversation {
  const view = useSyncExternalStore(stream.subscribe, stream.view, stream.view);
  const retryInMs = useCountdown(view.retryAt);
  return { ...chatOf(stream, view, retryInMs), past: past(), send, clear };
}
