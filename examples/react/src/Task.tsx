import { taskAt } from "./addresses";
import type { AgentStreamOptions } from "./agentStream";
import { Page } from "./Page";
import { Work } from "./Work";

const HINT = "Say what is to be done. You are asked before the agent changes anything.";

/** A page for tasks: an agent with tools, which asks before it uses them. */
export function Task(options: AgentStreamOptions) {
  return <Page options={{ addresses: taskAt, ...options }} label="Task" hint={HINT} Shown={Work} />;
}
