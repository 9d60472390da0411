import { type AttachmentLimits, type ConversationsOptions, taskAt } from "@agent-workers/react";
import { Page } from "./Page";
import { TASK } from "./words";

interface Props extends ConversationsOptions {
  /** What to say before the first task. */
  hint?: string;
  /** Tasks to begin with. */
  examples?: string[];
  /** What files may go along; none without it. */
  attachments?: AttachmentLimits;
}

/** A page for tasks: an agent with tools, which asks before it uses them. */
export function Task({ hint = TASK.hint, examples = TASK.examples, attachments, ...options }: Props) {
  const all = { addresses: taskAt, ...options };
  return <Page options={all} title={TASK.title} hint={hint} examples={examples} attachments={attachments} />;
}
