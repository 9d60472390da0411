import type { AttachmentLimits, ConversationsOptions } from "@agent-workers/react";
import { Page } from "./Page";
import { CHAT } from "./words";

interface Props extends ConversationsOptions {
  /** What to say of the application before the first message. */
  hint?: string;
  /** Prompts to begin with. */
  examples?: string[];
  /** What files may go along; none without it. */
  attachments?: AttachmentLimits;
}

/** A chat page. */
export function Chat({ hint = CHAT.hint, examples = CHAT.examples, attachments, ...options }: Props) {
  return <Page options={options} title={CHAT.title} hint={hint} examples={examples} attachments={attachments} />;
}
