/** The exchanges of this tab's conversation that are over, kept over a reload. */

import type { AgentView } from "./agentStream.js";
import { withoutFiles } from "./attachments.js";

const PREFIX = "agent-history:";
/** Characters; a tab may keep five million, of all pages of its site. */
const MOST = 1_000_000;

/** A call is one of `toolCalls`: in JSON its place there. */
export type Kept = Omit<AgentView, "parts"> & { parts: (string | number)[] };

/** Where a conversation keeps its exchanges. */
export interface History {
  /** Those that are over; without the one that still runs. */
  recall(isRunning: boolean): AgentView[];
  /** The last one may still run. */
  keep(exchanges: AgentView[], running?: AgentView): void;
}

/** The history of this tab; none of another conversation than this. */
export const tabHistory = (place: string, conversation?: string): History => ({
  recall: (isRunning) => recallHistory(place, isRunning ? undefined : conversation),
  keep: (exchanges) => keepHistory(place, exchanges),
});

/** Keeps the last of these exchanges, as many as there is room for. */
export function keepHistory(place: string, exchanges: AgentView[]): void {
  try {
    if (exchanges.length > 0) sessionStorage.setItem(PREFIX + place, writeExchanges(exchanges, MOST));
    else sessionStorage.removeItem(PREFIX + place);
  } catch {
    // Storage may be switched off or full.
  }
}

/** The exchanges that were kept; none if they are of another conversation than this. */
export function recallHistory(place: string, conversation?: string): AgentView[] {
  try {
    const exchanges = readExchanges(JSON.parse(sessionStorage.getItem(PREFIX + place) ?? "[]") as Kept[]);
    const isAnother = conversation !== undefined && exchanges.at(-1)?.conversation !== conversation;
    return isAnother ? [] : exchanges;
  } catch {
    return [];
  }
}

/** The last of these exchanges as JSON, as many as so many characters hold. */
export function writeExchanges(exchanges: AgentView[], most: number): string {
  const kept = exchanges.map((view) => JSON.stringify(flat(view)));
  for (let size = kept.join().length; size > most; ) size -= kept.shift()!.length + 1;
  return `[${kept.join()}]`;
}

export function readExchanges(kept: Kept[]): AgentView[] {
  return kept.map(({ parts, ...view }) => ({
    ...view,
    attachments: withoutFiles(view.attachments),
    parts: parts.map((part) => (typeof part === "number" ? view.toolCalls[part]! : part)),
  }));
}

function flat({ parts, ...view }: AgentView): Kept {
  const attachments = withoutFiles(view.attachments);
  return { ...view, attachments, parts: parts.map((part) => (typeof part === "string" ? part : view.toolCalls.indexOf(part))) };
}
