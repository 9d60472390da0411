import type { AgentStreamOptions } from "@agent-workers/react";
import { Exchange } from "./Exchange";
import { Page } from "./Page";

interface Props extends AgentStreamOptions {
  /** What to say of the application before the first message. */
  hint?: string;
}

/** A chat page. */
export function Chat({ hint = "", ...options }: Props) {
  const hints = `Enter sends, Shift+Enter starts a new line. ${hint}`.trim();
  return <Page options={options} label="Chat" hint={hints} Shown={Exchange} />;
}
