/** The run that this tab follows, kept over a reload. */

import type { Attachment } from "./attachments.js";
import type { Steer } from "./steering.js";

export interface Remembered {
  run: string;
  prompt: string;
  conversation: string;
  /** The events name the words that were read, but do not repeat them. */
  steers: Steer[];
  /** Without the files, which a reload loses. */
  attachments: Attachment[];
}

const PREFIX = "agent-run:";

/** The name under which is kept what was started at an address, for a visitor. */
export const placeOf = (start: string, visitor?: string): string => (visitor ? `${start} ${visitor}` : start);

/** Keeps the run that was started last at this place, for this tab alone. Without storage, a reload loses the answer. */
export function remember(place: string, run: Remembered): void {
  try {
    sessionStorage.setItem(PREFIX + place, JSON.stringify(run));
  } catch {
    // Storage may be switched off or full.
  }
}

export function forget(place: string): void {
  try {
    sessionStorage.removeItem(PREFIX + place);
  } catch {
    // As above.
  }
}

export function recall(place: string): Remembered | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PREFIX + place) ?? "null") as Partial<Remembered> | null;
    const { run, prompt, conversation, steers = [], attachments = [] } = kept ?? {};
    const isWhole = typeof run === "string" && typeof prompt === "string" && typeof conversation === "string";
    return isWhole ? { run, prompt, conversation, steers, attachments } : undefined;
  } catch {
    return undefined;
  }
}
