import { type AgentStreamOptions, taskAt } from "@agent-workers/react";
import { Page } from "./Page";
import { TASK } from "./words";

interface Props extends AgentStreamOptions {
  /** What to say before the first task. */
  hint?: string;
  /** Tasks to begin with. */
  examples?: string[];
}

/** A page for tasks: an agent with tools, which asks before it uses them. */
export function Task({ hint = TASK.hint, examples = TASK.examples, ...options }: Props) {
  return <Page options={{ addresses: taskAt, ...options }} title={TASK.title} hint={hint} examples={examples} />;
}
