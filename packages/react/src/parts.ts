import type { ComponentType } from "react";
import type { AgentView } from "./agentStream.js";
import type { ToolCall } from "./answer.js";
import type { Steer } from "./steering.js";

export interface MessageProps {
  /** A prompt and its answer. */
  view: AgentView;
  parts?: Partial<Parts>;
  /** Sends the prompt again; absent for exchanges that are over. */
  onRetry?: () => void;
  /** Milliseconds until `onRetry` works. */
  retryInMs?: number;
  /** Sends a word again; absent for exchanges that are over. */
  onResend?: (steer: Steer) => void;
}

export interface ToolCardProps {
  call: ToolCall;
  view: AgentView;
  parts?: Partial<Parts>;
}

/** What may be replaced by components of your own. */
export interface Parts {
  Message: ComponentType<MessageProps>;
  /** The model's words between two calls, by default as plain text with its line breaks. */
  Text: ComponentType<{ text: string }>;
  ToolCard: ComponentType<ToolCardProps>;
}
