import type { AgentStreamOptions } from "./agentStream";
import { Exchange } from "./Exchange";
import { Page } from "./Page";

/** A chat page. */
export function Chat(options: AgentStreamOptions) {
  return <Page options={options} label="Chat" hint="Enter sends, Shift+Enter starts a new line." Shown={Exchange} />;
}
