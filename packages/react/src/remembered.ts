/** The run that this tab follows, kept over a reload. */

import type { Steer } from "./steering.js";

export interface Remembered {
  run: string;
  prompt: string;
  conversation: string;
  /** The events name the words that were read, but do not repeat them. */
  steers: Steer[];
}

const PREFIX = "agent-run:";

/** Keeps the run that was started at this address, for this tab alone. Without storage, a reload loses the answer. */
export function remember(start: string, run: Remembered): void {
  try {
    sessionStorage.setItem(PREFIX + start, JSON.stringify(run));
  } catch {
    // Storage may be switched off or full.
  }
}

export function forget(start: string): void {
  try {
    sessionStorage.removeItem(PREFIX + start);
  } catch {
    // As above.
  }
}

export function recall(start: string): Remembered | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PREFIX + start) ?? "null") as Partial<Remembered> | null;
    const { run, prompt, conversation, steers = [] } = kept ?? {};
    const isWhole = typeof run === "string" && typeof prompt === "string" && typeof conversation === "string";
    return isWhole ? { run, prompt, conversation, steers } : undefined;
  } catch {
    return undefined;
  }
}
