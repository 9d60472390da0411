import type { AgentStreamOptions } from "@agent-workers/react";
import { Page } from "./Page";
import { CHAT } from "./words";

interface Props extends AgentStreamOptions {
  /** What to say of the application before the first message. */
  hint?: string;
  /** Prompts to begin with. */
  examples?: string[];
}

/** A chat page. */
export function Chat({ hint = CHAT.hint, examples = CHAT.examples, ...options }: Props) {
  return <Page options={options} title={CHAT.title} hint={hint} examples={examples} />;
}
