import {
  type AgentView,
  callState,
  isNested,
  type Output,
  plain,
  pretty,
  textOf,
  type ToolCall,
  withoutCodes,
} from "@agent-workers/react/stream";
import { el, list, set, type Shown, tell, write } from "./dom";
import { answeredIn, callIn, settlementIn, toolName } from "./settled";
import { fill, type Words } from "./words";

interface Item {
  call: ToolCall;
  view: AgentView;
}

/** Characters of an input or a result that are shown: a page is no place for more. */
const MOST = 20_000;

/** A tool call as one line, which opens for its input, output and result; below it the calls of its subagent. */
export function toolLine({ name }: ToolCall, words: Words, isOpen = false): Shown<Item> {
  const [state, took] = [el("span", { part: "tool-state" }), el("span", { part: "tool-time" })];
  const summary = el("summary", {}, el("b", { part: "tool-name" }, toolName(name, words)), " ", state, " ", took);
  const named = (label: string) => ({ role: "group", "aria-label": label, tabindex: "0" });
  const input = el("pre", { part: "tool-input", ...named(words.input) });
  const output = el("pre", { part: "tool-output", ...named(words.output) });
  const result = el("pre", { part: "tool-result", ...named(words.result) });
  const [notes, children] = [el("div"), el("div", { part: "subagent" })];
  const details = el("details", { part: "tool-details", open: isOpen }, summary, input, output, result);
  const node = el("div", { part: "tool", role: "group", "aria-label": fill(words.tool, { tool: toolName(name, words) }) }, details, notes, children);
  let before: ToolCall | undefined;
  // Once for each state of a call, and not whenever something else comes: they may be long.
  const showTexts = (call: ToolCall) => {
    tell(input, cut(pretty(call.input), words, call.inputCut));
    print(output, words, call.output);
    const content = call.content && withoutCodes(call.content);
    tell(result, content && output.textContent?.trim() !== content.trim() && cut(content, words, call.contentCut));
  };
  const show = ({ call, view }: Item) => {
    set(node, "data-status", callState(call, view));
    write(state, callIn(words, call, view));
    const ran = call.status === "ok" || call.status === "error";
    write(took, ran && call.durationMs !== undefined ? `${(call.durationMs / 1000).toFixed(1)} s` : "");
    if (call !== before) showTexts(call);
    before = call;
    list(notes, notesOf(call, view, words), (_, index) => String(index), note);
    const nested = view.toolCalls.filter((other) => other.parentId === call.id && isNested(other, view.toolCalls));
    list(children, nested.map((each) => ({ call: each, view })), (item) => item.call.id, (item) => toolLine(item.call, words));
  };
  return { node, show };
}

/** What a tool prints: its end stays in sight, unless somebody has scrolled away from it. */
function print(node: HTMLElement, words: Words, output?: Output): void {
  const isAtEnd = node.scrollHeight - node.scrollTop - node.clientHeight < 20;
  const left = output && output.leftOut > 0 ? `${fill(words.linesBefore, { lines: output.leftOut })}\n` : "";
  tell(node, output && left + textOf(output.lines));
  if (isAtEnd) node.scrollTop = node.scrollHeight;
}

function cut(text: string, words: Words, bytes = 0): string {
  const more = bytes > 0 ? `\n${fill(words.bytesMore, { bytes })}` : "";
  return text.length > MOST ? `${text.slice(0, MOST)}\n${fill(words.charactersMore, { characters: text.length - MOST })}${more}` : text + more;
}

function notesOf({ id, replayed }: ToolCall, view: AgentView, words: Words): string[] {
  const mine = <T extends { toolUseId: string }>(all: T[]) => all.filter(({ toolUseId }) => toolUseId === id);
  return [
    ...mine(view.questions).map(
      (question) =>
        `${question.items.map((item) => plain(item.question)).join(" ")} ${question.resolved ? answeredIn(words, question, view.replies[question.id]) : ""}`,
    ),
    ...mine(view.permissions)
      .filter(({ resolved }) => resolved)
      .map((permission) => settlementIn(words, permission, view.replies[permission.id])),
    ...view.subtasks
      .filter(({ toolUseId }) => toolUseId === id)
      .map(({ description, status }) => `${description} (${status})`),
    ...(replayed ? [words.replayed] : []),
  ];
}

function note(): Shown<string> {
  const node = el("p", { part: "note" });
  return { node, show: (text) => write(node, text) };
}
