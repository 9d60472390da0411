import { type AgentView, isByPerson, isNested, type Steer, type ToolCall } from "@agent-workers/react/stream";
import { el, list, set, type Shown, tell, write } from "./dom";
import { ending } from "./ending";
import { markdown } from "./markdown";
import type { Page } from "./page";
import { toolLine } from "./tool";
import { failureIn, fill, type Words } from "./words";

export interface Exchange {
  view: AgentView;
  /** The last one can be tried again. */
  isLast: boolean;
}

type Part = { view: AgentView } & ({ text: string } | { call: ToolCall } | { steers: Steer[] });

const STATES: Record<Steer["state"], keyof Words> = {
  sending: "sending",
  waiting: "waiting",
  read: "read",
  late: "late",
  failed: "notSent",
};

/** A prompt and its answer: thinking, texts, calls and the words said in between, in their order. */
export function exchange(page: Page): Shown<Exchange> {
  const { words } = page;
  const prompt = el("p", { part: "prompt" });
  const thought = el("p");
  const thinking = el("details", { part: "thinking" }, el("summary", {}, words.thinking), thought);
  const answer = el("article", { part: "answer", "aria-label": words.answer });
  const said = el("div");
  const notes = el("div");
  const dots = el("p", { part: "busy", "aria-hidden": "true" }, "…");
  const end = ending(page);
  const node = el("div", { part: "exchange" }, prompt, thinking, answer, said, dots, notes, end.node);
  let last: Exchange | undefined;
  return {
    node,
    show(item) {
      if (item.view === last?.view && item.isLast === last.isLast && !item.isLast) return;
      last = item;
      const { view, isLast } = item;
      const busy = isLast && (view.state === "connecting" || view.state === "streaming");
      write(prompt, view.prompt ?? "");
      thinking.hidden = !view.thinking;
      write(thought, view.thinking);
      set(answer, "aria-busy", String(busy));
      list(answer, partsOf(view), keyOf, (part) => make(part, page, isLast));
      const loose = view.steers.filter(({ called }) => !called);
      list(said, loose.length > 0 ? [{ view, steers: loose }] : [], keyOf, (part) => make(part, page, isLast));
      dots.hidden = !busy;
      list(notes, notesOf(view, words), (_, index) => String(index), note);
      end.show(item);
    },
  };
}

function partsOf(view: AgentView): Part[] {
  return view.parts.flatMap((part): Part[] => {
    if (typeof part === "string") return [{ view, text: part }];
    const number = view.toolCalls.indexOf(part) + 1;
    const steers = view.steers.filter(({ called }) => called === number);
    const call = isNested(part, view.toolCalls) ? [] : [{ view, call: part }];
    return [...call, ...(steers.length > 0 ? [{ view, steers }] : [])];
  });
}

/** What a lost attempt of the run has shown is not changed into what the next one shows. */
const keyOf = (part: Part, index: number): string => {
  const kind = "call" in part ? `call ${part.call.id}` : `${"text" in part ? "text" : "said"} ${index}`;
  return `${part.view.attempt ?? 1} ${kind}`;
};

function make(part: Part, page: Page, isLast: boolean): Shown<Part> {
  // What a person has run is open: it is all of the answer.
  if ("call" in part) return toolLine(part.call, page.words, isByPerson(part.view)) as Shown<never>;
  if ("steers" in part) return saidInBetween(page, isLast) as Shown<never>;
  const { node, show } = page.isPlain ? plainText() : markdown(page);
  return { node, show: (now) => "text" in now && show(now.text) };
}

function plainText(): Shown<string> {
  const node = el("p", { part: "text", class: "raw" });
  return { node, show: (text) => write(node, text) };
}

function saidInBetween(page: Page, isLast: boolean): Shown<{ view: AgentView; steers: Steer[] }> {
  const node = el("ul", { part: "said", "aria-label": page.words.saidInBetween });
  const show = ({ view, steers }: { view: AgentView; steers: Steer[] }) =>
    list(node, steers.map((steer) => ({ steer, view })), ({ steer }) => steer.id, () => word(page, isLast));
  return { node, show };
}

/** A word that was said in between, and what became of it. */
function word({ conversation: { stream, send }, focusTextbox, words }: Page, isLast: boolean): Shown<{ steer: Steer; view: AgentView }> {
  let now: { steer: Steer; view: AgentView };
  const isBusy = () => now.view.state === "connecting" || now.view.state === "streaming";
  const resend = () => {
    const { id, text } = now.steer;
    if (isBusy()) stream.steer(text, id);
    else send(text);
    focusTextbox();
  };
  const [text, fate] = [el("p", { part: "prompt" }), el("span", { role: "status" })];
  const again = el("button", { type: "button", part: "button", click: resend });
  const node = el("li", {}, text, el("p", { part: "note" }, fate, " ", again));
  const show = (item: { steer: Steer; view: AgentView }) => {
    now = item;
    const { state, text: said, actor, failure } = item.steer;
    write(text, said);
    write(fate, [words[STATES[state]], state === "read" && actor && `(${actor})`, failureIn(words, failure)].filter(Boolean).join(" "));
    const mayResend = state === "failed" || (state === "late" && !isBusy());
    tell(again, isLast && mayResend && (isBusy() ? words.sendAgain : words.sendNext));
  };
  return { node, show };
}

function notesOf({ attempt: begun, notices, retrying }: AgentView, words: Words): string[] {
  const told = [...(begun ? [words.beganAgain] : []), ...notices.map(({ message }) => message)];
  if (!retrying) return told;
  const { code, attempt, maxAttempts } = retrying;
  return [...told, fill(words.triesAgain, { code, attempt, most: maxAttempts })];
}

function note(): Shown<string> {
  const node = el("p", { part: "note" });
  return { node, show: (text) => write(node, text) };
}
