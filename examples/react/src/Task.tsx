import { type AgentStreamOptions, taskAt } from "@agent-workers/react";
import { Page } from "./Page";
import { Work } from "./Work";

const HINT = "Say what is to be done. You are asked before the agent changes anything.";

interface Props extends AgentStreamOptions {
  /** What to say before the first task. */
  hint?: string;
}

/** A page for tasks: an agent with tools, which asks before it uses them. */
export function Task({ hint = HINT, ...options }: Props) {
  return <Page options={{ addresses: taskAt, ...options }} label="Task" hint={hint} Shown={Work} />;
}
