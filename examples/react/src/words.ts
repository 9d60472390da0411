import type { Reply } from "./decision";
import type { Question } from "./transcript";

const APP_TOOL = "mcp__app__";

/** True for a tool that the application itself runs. */
export const isAppTool = (name: string): boolean => name.startsWith(APP_TOOL);

/** A tool's name for people: the application's tools lose the prefix that the model sees. */
export const plainName = (name: string): string => (isAppTool(name) ? name.slice(APP_TOOL.length) : name);

/** How a question was settled, and by whom. */
export function settlement({ resolved }: Question, reply?: Reply): string {
  if (!resolved) return "Not answered: the run ended.";
  const word = resolved.behavior === "allow" ? "Approved" : "Denied";
  switch (resolved.by) {
    case "client":
      // If this page's answer was lost on the way, it is unknown whose answer counted.
      return reply?.state === "failed" ? `${word}.` : `${word} ${reply ? "by you" : "elsewhere"}.`;
    case "timeout":
      return `${word}: nobody answered in time.`;
    case "policy":
      return `${word} by a rule.`;
    case "abort":
      return `${word}: the run was stopped.`;
    default:
      return `${word} (${resolved.by}).`;
  }
}

/** "0:09", "2:05". */
export function clock(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** JSON for people, with nothing hidden: invisible and direction-changing characters are escaped. */
export function pretty(value: unknown): string {
  return plain(JSON.stringify(value, null, 2));
}

/** Text for people, with nothing hidden. */
export function plain(text: string): string {
  const escaped = (hidden: string) =>
    Array.from({ length: hidden.length }, (_, at) => `\\u${hidden.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
  return text.replace(/[^\P{C}\n]|[\u2028\u2029\u2800]|\p{Default_Ignorable_Code_Point}/gu, escaped);
}
