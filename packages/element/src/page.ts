import type { Conversation } from "@agent-workers/react/stream";
import type { Words } from "./words";

/** What every part of the chat needs to know of it. */
export interface Page {
  conversation: Conversation;
  words: Words;
  /** Gives the focus back to the textbox, where the button that had it is about to go. */
  focusTextbox(): void;
  /** False so soon after something moved that a click was meant for what was there before. */
  hasSettled(): boolean;
}
