import type { QuestionItem } from "./events.js";

/** What is chosen: labels of options, and a text of one's own where `isOther`. */
export interface Choice {
  labels: string[];
  isOther: boolean;
  other: string;
}

export const NONE: Choice = { labels: [], isOther: false, other: "" };

export const isMade = ({ labels, isOther, other }: Choice): boolean =>
  isOther ? other.trim() !== "" : labels.length > 0;

/** The choice as the contract has it: one text, or a list where several may be chosen. */
export function toAnswer({ multi, options }: QuestionItem, { labels, isOther, other }: Choice): string | string[] {
  const chosen = options.map(({ label }) => label).filter((label) => labels.includes(label));
  const texts = isOther ? [...chosen, other.trim()] : chosen;
  return multi ? texts : texts.at(-1)!;
}
