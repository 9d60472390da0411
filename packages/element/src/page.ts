import type { Conversation } from "@agent-workers/react/stream";
import type { Words } from "./words";

/** What every part of the chat needs to know of it. */
export interface Page {
  conversation: Conversation;
  words: Words;
  /** Whether the model's words are shown as they were written. */
  isPlain: boolean;
  /** Does what makes the messages longer; their end stays in sight, unless somebody has scrolled away from it. */
  keepEnd(grow: () => void): void;
  /** Gives the focus back to the textbox, where the button that had it is about to go. */
  focusTextbox(): void;
  /** False so soon after something moved that a click was meant for what was there before. */
  hasSettled(): boolean;
}
