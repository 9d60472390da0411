import { type AgentView, callState, type Permission, plain, plainName, type Question, type Reply, type ToolCall } from "@agent-workers/react/stream";
import { fill, type Words } from "./words";

/** The tool's name for people: what the agent asks by is no tool to them. */
export const toolName = (name: string, words: Words): string => (name === "AskUserQuestion" ? words.asking : plainName(name));

/** How a call stands. */
export function callIn(words: Words, call: ToolCall, view: AgentView): string {
  const state = callState(call, view);
  const named = `call${state[0]!.toUpperCase()}${state.slice(1)}` as keyof Words;
  return words[named] ?? state;
}

/** How a permission was settled, and by whom. */
export function settlementIn(words: Words, { resolved }: Permission, reply?: Reply): string {
  if (!resolved) return words.unanswered;
  const what = resolved.behavior === "allow" ? words.approved : words.denied;
  switch (resolved.by) {
    case "client":
      return byWhom(words, what, resolved.actor, reply);
    case "timeout":
      return fill(words.byTimeout, { what });
    case "policy":
      return fill(words.byRule, { what });
    case "abort":
      return fill(words.byAbort, { what });
    default:
      return fill(words.byElse, { what, by: resolved.by });
  }
}

/** How a question was settled, and by whom. */
export function answeredIn(words: Words, { resolved }: Question, reply?: Reply): string {
  switch (resolved?.by) {
    case undefined:
      return words.unanswered;
    case "client":
      return byWhom(words, words.answered, resolved?.actor, reply);
    case "timeout":
      return words.unansweredInTime;
    case "abort":
      return words.unansweredByAbort;
    default:
      return fill(words.byElse, { what: words.settled, by: resolved?.by });
  }
}

function byWhom(words: Words, what: string, actor?: string, reply?: Reply): string {
  if (reply && reply.state !== "failed") return fill(words.byYou, { what });
  if (actor) return fill(words.byOther, { what, actor: plain(actor) });
  // If this page's answer was lost on the way, it is unknown whose answer counted.
  return reply ? fill(":what.", { what }) : fill(words.elsewhere, { what });
}
