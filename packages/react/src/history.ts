/** The exchanges of this tab's conversation that are over, kept over a reload. */

import type { AgentView } from "./agentStream.js";
import { withoutFiles } from "./attachments.js";

const PREFIX = "agent-history:";
/** Characters; a tab may keep five million, of all pages of its site. */
const MOST = 1_000_000;

/** A call is one of `toolCalls`: in JSON its place there. */
type Kept = Omit<AgentView, "parts"> & { parts: (string | number)[] };

/** Keeps the last of these exchanges, as many as there is room for. */
export function keepHistory(place: string, exchanges: AgentView[]): void {
  const kept = exchanges.map((view) => JSON.stringify(flat(view)));
  for (let size = kept.join().length; size > MOST; ) size -= kept.shift()!.length + 1;
  try {
    if (kept.length > 0) sessionStorage.setItem(PREFIX + place, `[${kept.join()}]`);
    else sessionStorage.removeItem(PREFIX + place);
  } catch {
    // Storage may be switched off or full.
  }
}

/** The exchanges that were kept; none if they are of another conversation than this. */
export function recallHistory(place: string, conversation?: string): AgentView[] {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PREFIX + place) ?? "[]") as Kept[];
    const exchanges = kept.map(({ parts, ...view }) => ({
      ...view,
      attachments: withoutFiles(view.attachments),
      parts: parts.map((part) => (typeof part === "number" ? view.toolCalls[part]! : part)),
    }));
    const isAnother = conversation !== undefined && exchanges.at(-1)?.conversation !== conversation;
    return isAnother ? [] : exchanges;
  } catch {
    return [];
  }
}

function flat({ parts, ...view }: AgentView): Kept {
  const attachments = withoutFiles(view.attachments);
  return { ...view, attachments, parts: parts.map((part) => (typeof part === "string" ? part : view.toolCalls.indexOf(part))) };
}
