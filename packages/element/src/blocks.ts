import type { Token, Tokens } from "marked";
import { el, write } from "./dom";
import { DEEPEST, inline, type Place, textOf } from "./inline";
import type { Words } from "./words";

/** A line that is longer is shown as it was written: what is in it would take too long to find. */
const LONGEST = 4_000;
/** How long a button says that it has copied. */
const TOLD_MS = 2_000;

/** A block of Markdown as an element. Nothing in it is loaded, and its HTML is text. */
export const block = (token: Token, words: Words): HTMLElement => blockIn(token as Tokens.Generic, { words, depth: 0 });

function blockIn(token: Tokens.Generic, place: Place): HTMLElement {
  if (place.depth > DEEPEST) return raw(token.raw);
  const within = { ...place, depth: place.depth + 1 };
  switch (token.type) {
    case "paragraph":
    case "text":
      return el("p", {}, ...line(token, within));
    case "heading":
      return heading(token, within);
    case "code":
      return code(token.text, place.words);
    case "table":
      return table(token as Tokens.Table, within);
    case "hr":
      return el("hr");
    case "blockquote":
      return el("blockquote", {}, ...blocks(token.tokens, within));
    case "list":
      return listOf(token as Tokens.List, within);
    default:
      return raw(token.raw);
  }
}

const blocks = (tokens: Token[] | undefined, place: Place): Node[] =>
  (tokens ?? []).filter(({ type }) => type !== "space" && type !== "def").map((token) => blockIn(token as Tokens.Generic, place));

const raw = (text: string): HTMLElement => el("p", { class: "raw" }, text.trimEnd());

const line = ({ tokens, text }: Tokens.Generic, place: Place): Node[] =>
  text.length > LONGEST || !tokens ? [textOf(text)] : inline(tokens, place);

/** Below the headings of the page, and of what the agent asks. */
const heading = (token: Tokens.Generic, place: Place): HTMLElement =>
  el(`h${Math.min(token.depth + 2, 6)}` as "h3", {}, ...line(token, place));

function listOf({ ordered, start, items }: Tokens.List, place: Place): HTMLElement {
  const content = ({ tokens }: Tokens.ListItem): Node[] =>
    tokens.flatMap((token) => {
      if (token.type === "text") return line(token as Tokens.Generic, place);
      return token.type === "checkbox" ? inline([token], place) : blocks([token], place);
    });
  const children = items.map((item) => el("li", { class: item.task && "task" }, ...content(item)));
  return ordered ? el("ol", { start: String(start || 0) }, ...children) : el("ul", {}, ...children);
}

/** Scrolls in its own box, also by the keyboard. */
function table({ header, rows }: Tokens.Table, place: Place): HTMLElement {
  const cell = (tag: "th" | "td") => (item: Tokens.TableCell) =>
    el(tag, { "data-align": item.align ?? undefined }, ...line(item as unknown as Tokens.Generic, place));
  const [head, body] = [el("tr", {}, ...header.map(cell("th"))), rows.map((row) => el("tr", {}, ...row.map(cell("td"))))];
  const made = el("table", {}, el("thead", {}, head), el("tbody", {}, ...body));
  return el("div", { part: "table", role: "group", "aria-label": place.words.table, tabindex: "0" }, made);
}

/** A block of code. A page that is not secure may not write to the clipboard, and has no button. */
function code(text: string, words: Words): HTMLElement {
  const content = el("code", {}, text);
  const pre = el("pre", { role: "group", "aria-label": words.code, tabindex: "0" }, content);
  const tell = (said: string) => {
    write(copy, said);
    setTimeout(() => write(copy, words.copy), TOLD_MS);
  };
  const click = () =>
    navigator.clipboard.writeText(content.textContent ?? "").then(
      () => tell(words.copied),
      () => tell(words.notCopied),
    );
  const copy = el("button", { type: "button", part: "button copy", "aria-live": "polite", click }, words.copy);
  return el("div", { part: "code" }, ...(navigator.clipboard ? [pre, copy] : [pre]));
}
