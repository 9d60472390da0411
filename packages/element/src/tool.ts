import {
  type AgentView,
  answered,
  callState,
  isNested,
  type Output,
  plain,
  plainName,
  pretty,
  settlement,
  textOf,
  type ToolCall,
  withoutCodes,
} from "@agent-workers/react/stream";
import { el, list, set, type Shown, tell, write } from "./dom";

interface Item {
  call: ToolCall;
  view: AgentView;
}

/** Characters of an input or a result that are shown: a page is no place for more. */
const MOST = 20_000;

/** A tool call as one line, which opens for its input, output and result; below it the calls of its subagent. */
export function toolLine({ name }: ToolCall, isOpen = false): Shown<Item> {
  const [state, took] = [el("span", { part: "tool-state" }), el("span", { part: "tool-time" })];
  const summary = el("summary", {}, el("b", { part: "tool-name" }, plainName(name)), " ", state, " ", took);
  const named = (label: string) => ({ role: "group", "aria-label": label, tabindex: "0" });
  const input = el("pre", { part: "tool-input", ...named("input") });
  const output = el("pre", { part: "tool-output", ...named("output") });
  const result = el("pre", { part: "tool-result", ...named("result") });
  const [notes, children] = [el("div"), el("div", { part: "subagent" })];
  const details = el("details", { part: "tool-details", open: isOpen }, summary, input, output, result);
  const node = el("div", { part: "tool", role: "group", "aria-label": `Tool ${plainName(name)}` }, details, notes, children);
  const show = ({ call, view }: Item) => {
    const now = callState(call, view);
    set(node, "data-status", now);
    write(state, now);
    const ran = call.status === "ok" || call.status === "error";
    write(took, ran && call.durationMs !== undefined ? `${(call.durationMs / 1000).toFixed(1)} s` : "");
    tell(input, cut(pretty(call.input), call.inputCut));
    print(output, call.output);
    const isTold = call.content !== undefined && output.textContent?.trim() === withoutCodes(call.content).trim();
    tell(result, call.content && !isTold && cut(withoutCodes(call.content), call.contentCut));
    list(notes, notesOf(call, view), (_, index) => String(index), note);
    const nested = view.toolCalls.filter((other) => other.parentId === call.id && isNested(other, view.toolCalls));
    list(children, nested.map((each) => ({ call: each, view })), (item) => item.call.id, (item) => toolLine(item.call));
  };
  return { node, show };
}

/** What a tool prints: its end stays in sight, unless somebody has scrolled away from it. */
function print(node: HTMLElement, output?: Output): void {
  const isAtEnd = node.scrollHeight - node.scrollTop - node.clientHeight < 20;
  const left = output && output.leftOut > 0 ? `… ${output.leftOut} lines before these\n` : "";
  tell(node, output && left + textOf(output.lines));
  if (isAtEnd) node.scrollTop = node.scrollHeight;
}

function cut(text: string, bytes = 0): string {
  const more = bytes > 0 ? `\n… ${bytes} more bytes were left out.` : "";
  return text.length > MOST ? `${text.slice(0, MOST)}\n… ${text.length - MOST} more characters.${more}` : text + more;
}

function notesOf({ id, replayed }: ToolCall, view: AgentView): string[] {
  const mine = <T extends { toolUseId: string }>(all: T[]) => all.filter(({ toolUseId }) => toolUseId === id);
  return [
    ...mine(view.questions).map(
      (question) =>
        `${question.items.map((item) => plain(item.question)).join(" ")} ${question.resolved ? answered(question, view.replies[question.id]) : ""}`,
    ),
    ...mine(view.permissions)
      .filter(({ resolved }) => resolved)
      .map((permission) => settlement(permission, view.replies[permission.id])),
    ...view.subtasks
      .filter(({ toolUseId }) => toolUseId === id)
      .map(({ description, status }) => `${description} (${status})`),
    ...(replayed ? ["From the record of an earlier attempt: nothing was done again."] : []),
  ];
}

function note(): Shown<string> {
  const node = el("p", { part: "note" });
  return { node, show: (text) => write(node, text) };
}
