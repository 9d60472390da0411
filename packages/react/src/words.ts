import type { AgentView } from "./agentStream.js";
import type { Permission, Question, ToolCall } from "./answer.js";
import type { AttachmentLimits, RefusedFile } from "./attachments.js";
import type { Reply } from "./replies.js";

const APP_TOOL = "mcp__app__";
/** The tool by which the agent asks a person. */
const ASK = "AskUserQuestion";
const UNANSWERED = "Not answered: the run ended.";

/** True for a tool that the application itself runs. */
export const isAppTool = (name: string): boolean => name.startsWith(APP_TOOL);

/** A tool's name for people: the application's tools lose the prefix that the model sees. */
export function plainName(name: string): string {
  if (name === ASK) return "Question";
  return isAppTool(name) ? name.slice(APP_TOOL.length) : name;
}

/** How a permission was settled, and by whom. */
export function settlement({ resolved }: Permission, reply?: Reply): string {
  if (!resolved) return UNANSWERED;
  const word = resolved.behavior === "allow" ? "Approved" : "Denied";
  switch (resolved.by) {
    case "client":
      return `${word}${byWhom(resolved.actor, reply)}.`;
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

/** How a question was settled, and by whom. */
export function answered({ resolved }: Question, reply?: Reply): string {
  switch (resolved?.by) {
    case undefined:
      return UNANSWERED;
    case "client":
      return `Answered${byWhom(resolved?.actor, reply)}.`;
    case "timeout":
      return "Nobody answered in time. The agent went on without an answer.";
    case "abort":
      return "Not answered: the run was stopped.";
    default:
      return `Settled (${resolved?.by}).`;
  }
}

function byWhom(actor?: string, reply?: Reply): string {
  if (reply && reply.state !== "failed") return " by you";
  if (actor) return ` by ${plain(actor)}`;
  // If this page's answer was lost on the way, it is unknown whose answer counted.
  return reply ? "" : " elsewhere";
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

/** True for a call of a subagent whose own call is known: it is shown there. */
export const isNested = ({ parentId }: ToolCall, calls: ToolCall[]): boolean =>
  parentId !== undefined && calls.some(({ id }) => id === parentId);

/** The state of a call for people: besides its status, whether it waits for a person, and that it has no end. */
export function callState({ id, status }: ToolCall, { state, permissions, questions }: AgentView): string {
  if (status !== "running") return status;
  if (state !== "connecting" && state !== "streaming") return "unfinished";
  const waits = [...permissions, ...questions].some(({ toolUseId, resolved }) => toolUseId === id && !resolved);
  return waits ? "waiting" : "running";
}

/** Why a file cannot be sent. */
export function refusedFile({ name, why }: RefusedFile, { max, maxKb }: AttachmentLimits): string {
  const file = `“${plain(name)}”`;
  switch (why) {
    case "type":
      return `${file} is neither an image (PNG, JPEG, GIF, WebP) nor a PDF.`;
    case "size":
      return `${file} is larger than ${maxKb.toLocaleString("en")} kB.`;
    case "empty":
      return `${file} is empty.`;
    case "number":
      return `${file} is one too many: a message can have at most ${max} ${max === 1 ? "file" : "files"}.`;
  }
}
