import { useEffect, useState, useSyncExternalStore } from "react";
import { Conversations, type ConversationsOptions, type ListView } from "./conversations.js";
import { type AgentConversation, useExchanges } from "./useConversation.js";

export interface AgentConversations extends ListView {
  /** The one that is open, as `useConversation` returns it; its `clear` is `begin`. */
  chat: AgentConversation;
  open: Conversations["open"];
  begin: Conversations["begin"];
  remove: Conversations["remove"];
  undo: Conversations["undo"];
  rename: Conversations["rename"];
}

/** The visitor's conversations, which this browser keeps, or the server with `recorded`. The options are read once, as by `useAgentStream`. */
export function useConversations(options: ConversationsOptions): AgentConversations {
  const [conversations] = useState(() => new Conversations(options));
  const view = useSyncExternalStore(conversations.subscribe, conversations.view, conversations.view);
  const chat = useExchanges(conversations.conversation());
  useEffect(() => {
    conversations.resume();
    return conversations.leave;
  }, [conversations]);
  const { open, begin, remove, undo, rename } = conversations;
  return { ...view, chat: { ...chat, clear: () => begin() }, open, begin, remove, undo, rename };
}
