import { type AgentView, clock, type Permission, plain, pretty, type Question, type Reply } from "@agent-workers/react/stream";
import { el, list, set, type Shown, tell } from "./dom";
import type { Page } from "./page";
import { questionForm } from "./question";
import { toolName } from "./settled";
import { failureIn, fill, type Words } from "./words";

/** A click so soon after questions moved was meant for what was there before. */
const SETTLE_MS = 500;

/** What the agent asks, each with its own form; the rest of the chat goes on beside them. */
export function asked(page: Page, isFocusFree: () => boolean) {
  const node = el("div", { part: "asked", role: "group", "aria-label": page.words.asked });
  let before = "";
  let movedAt = 0;
  const show = (view: AgentView) => {
    const open = openOf(view);
    const ids = open.map(({ id }) => id).join(" ");
    const hasMoved = ids !== before;
    const mayFocus = hasMoved && (isFocusFree() || node.contains(active(node)));
    list(node, open.map((each) => ({ each, view })), ({ each }) => `${view.attempt ?? 1} ${each.id}`, ({ each }) => form(each, page) as Shown<unknown>);
    node.hidden = open.length === 0;
    if (!hasMoved) return;
    movedAt = performance.now();
    // The form itself, not one of its buttons: a key that was meant for something else must not answer.
    if (mayFocus && open.length > 0) node.querySelector("form")?.focus();
    else if (mayFocus && before !== "") page.focusTextbox();
    before = ids;
  };
  return { node, show, hasSettled: () => performance.now() - movedAt >= SETTLE_MS };
}

/** What waits for a person; nothing where no agent works. */
export function openOf({ state, permissions, questions }: AgentView): (Permission | Question)[] {
  const busy = state === "connecting" || state === "streaming";
  return busy ? [...permissions, ...questions].filter(({ resolved }) => !resolved) : [];
}

const active = (node: Node): Element | null => (node.getRootNode() as ShadowRoot).activeElement;

const form = (each: Permission | Question, page: Page) =>
  "items" in each ? questionForm(each, page) : permissionForm(each, page);

let made = 0;

/** Whether the agent may call a tool. */
function permissionForm(permission: Permission, page: Page): Shown<{ each: Permission; view: AgentView }> {
  const { id, name, input, inputCut, reason, toolUseId } = permission;
  const { conversation: { stream }, words } = page;
  const [title, about] = [`title-${++made}`, `about-${made}`];
  const heading = el("h2", { id: title });
  const why = el("input", { "aria-label": words.whyNot, placeholder: words.whyNotIfDenied, maxlength: "2000", part: "input" });
  const deny = () => stream.decide(id, "deny", why.value.trim());
  const byHand = (act: () => void) => (event: Event) => {
    const byPointer = (event as MouseEvent).detail > 0;
    if (!byPointer || page.hasSettled()) act();
  };
  // Not disabled once pressed: the keyboard would lose its place. What is pressed twice is sent once.
  const approve = el("button", { type: "button", part: "button approve", click: byHand(() => stream.decide(id, "allow")) }, words.approve);
  const refuse = el("button", { type: "button", part: "button deny", click: byHand(deny) }, words.deny);
  const answer = replyState(words, words.leftToDecide);
  const details = el("div", { id: about }, el("pre", { "aria-label": words.input, tabindex: "0", part: "tool-input" }, pretty(input)));
  if (reason) details.prepend(el("p", {}, plain(reason)));
  if (inputCut) details.append(el("p", { part: "error" }, fill(words.inputCut, { bytes: inputCut })));
  const submit = (event: Event) => {
    event.preventDefault();
    deny(); // Enter in the message: that is what the message is for
  };
  const labels = { role: "alertdialog", "aria-labelledby": title, "aria-describedby": about, tabindex: "-1" };
  const node = el(
    "form",
    { part: "permission", "data-permission": id, ...labels, submit },
    heading,
    details,
    why,
    el("p", { part: "choices" }, approve, " ", refuse, " ", answer.left),
    answer.node,
  );
  const show = ({ each, view }: { each: Permission; view: AgentView }) => {
    const bySubagent = view.toolCalls.find((call) => call.id === toolUseId)?.parentId !== undefined;
    tell(heading, fill(bySubagent ? words.maySubagent : words.mayAgent, { tool: toolName(name, words) }));
    const isTaken = answer.show(view.replies[id], each.expiresAt);
    for (const button of [approve, refuse]) set(button, "aria-disabled", isTaken && "true");
  };
  return { node, show };
}

/** Whether an answer has arrived, and how long there is for one. */
export function replyState(words: Words, timeLeft: string) {
  const [state, failure, left] = [el("span", { role: "status" }), el("p", { role: "alert", part: "error" }), el("span", { part: "countdown" })];
  const node = el("div", {}, state, failure);
  /** Returns whether an answer is on its way, or has arrived. */
  const show = (reply: Reply | undefined, expiresAt: number | undefined): boolean => {
    const isTaken = reply !== undefined && reply.state !== "failed";
    tell(state, isTaken && (reply.state === "sending" ? words.answerSending : words.answerArrived));
    tell(failure, reply?.state === "failed" && fill(words.answerNotTaken, { message: failureIn(words, reply.failure) }));
    const ms = (expiresAt ?? 0) - Date.now();
    tell(left, expiresAt !== undefined && !isTaken && (ms > 0 ? fill(timeLeft, { time: clock(ms) }) : words.timeUp));
    return isTaken;
  };
  return { node, left, show };
}
