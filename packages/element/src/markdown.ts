import { Lexer, type Token } from "marked";
import { block } from "./blocks";
import { el, list, set, type Shown, write } from "./dom";
import type { Page } from "./page";
import { type Piece, pieces } from "@agent-workers/react/pieces";

/** How long the rest of a long text waits, so that the page stays alive while more comes. */
const PAUSE_MS = 16;

/** The model's words as Markdown. Of a text that grows, only what has changed is made anew. */
export function markdown(page: Page): Shown<string> {
  const node = el("div", { part: "text", dir: "auto" });
  let all: Piece[] = [];
  let shown = 0;
  let next: ReturnType<typeof setTimeout> | undefined;
  const grow = () => {
    next = undefined;
    if (shown < all.length) shown += 1;
    list(node, all.slice(0, shown), (_, index) => String(index), () => pieceOf(page));
    if (shown < all.length) next = setTimeout(() => node.isConnected && page.keepEnd(grow), PAUSE_MS);
  };
  const show = (text: string) => {
    all = pieces(text);
    if (shown > all.length) shown = all.length;
    if (next === undefined) grow();
  };
  return { node, show };
}

/** What is shown of a block, and what it was made of. */
interface Block {
  token: Token;
  /** What links of the form [text][name] lead to: a later line may say so. */
  links: string;
  node: HTMLElement;
}

/** A piece of a long text, or all of a short one. */
function pieceOf({ words }: Page): Shown<Piece> {
  const node = el("div");
  let before: string | undefined;
  let blocks: Block[] = [];
  const show = ({ text, isMarkdown }: Piece) => {
    if (text === before) return;
    before = text;
    const read = isMarkdown ? lex(text) : undefined;
    set(node, "class", !read && "raw");
    if (!read) {
      blocks = [];
      return write(node, text);
    }
    if (blocks.length === 0) node.replaceChildren();
    const { links } = read;
    const now = read.all.map((token, index): Block => {
      const old = blocks[index];
      const isKept = old && (old.links === links || token.type === "code") && isSame(old, token);
      return isKept ? { ...old, token, links } : { token, links, node: block(token, words) };
    });
    for (const [index, { node: made }] of now.entries()) {
      const old = blocks[index]?.node;
      if (!old) node.append(made);
      else if (old !== made) old.replaceWith(made);
    }
    for (const { node: old } of blocks.slice(now.length)) old.remove();
    blocks = now;
  };
  return { node, show };
}

/** Whether a block is shown already; of code that has grown, the rest is added, which leaves a selection alone. */
function isSame({ token: before, node }: Block, token: Token): boolean {
  if (before.type !== token.type) return false;
  if (before.raw === token.raw) return true;
  const place = token.type === "code" && node.querySelector("code");
  if (place) write(place, token.text);
  return Boolean(place);
}

/** Undefined where the text is nested so deeply that it cannot be read: it is shown as it is. */
function lex(text: string): { all: Token[]; links: string } | undefined {
  try {
    const all = new Lexer({ gfm: true }).lex(text);
    return { all: all.filter(({ type }) => type !== "space" && type !== "def"), links: JSON.stringify(all.links) };
  } catch {
    return undefined;
  }
}
