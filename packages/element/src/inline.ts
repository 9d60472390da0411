import type { Token, Tokens } from "marked";
import { el } from "./dom";
import type { Words } from "./words";

/** Where a link may lead; anything else is shown as it was written. */
const SCHEMES = ["http:", "https:", "mailto:"];
/** Deeper than anybody writes: what is nested further is shown as it was written. */
export const DEEPEST = 24;
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };

/** What stands around a token. */
export interface Place {
  words: Words;
  depth: number;
  isInLink?: boolean;
}

/** Tokens within a line as nodes. What is not known, and HTML, is text. */
export function inline(tokens: Token[] | undefined, place: Place): Node[] {
  const within = { ...place, depth: place.depth + 1 };
  return (tokens ?? []).map((token) => (place.depth > DEEPEST ? textOf(token.raw) : one(token as Tokens.Generic, within)));
}

function one(token: Tokens.Generic, place: Place): Node {
  switch (token.type) {
    case "text":
    case "escape":
      return token.tokens ? group("span", token, place) : textOf(token.escaped ? token.raw : decoded(token.text));
    case "strong":
    case "em":
    case "del":
      return group(token.type, token, place);
    case "codespan":
      return el("code", {}, token.text);
    case "br":
      return el("br");
    case "checkbox":
      return checkbox(token.checked, place.words);
    case "link":
      return link(token, place);
    case "image":
      return image(token, place);
    default:
      return textOf(token.raw);
  }
}

export const textOf = (text: string): Text => document.createTextNode(text);

const group = (tag: "span" | "strong" | "em" | "del", { tokens }: Tokens.Generic, place: Place): Node =>
  el(tag, {}, ...inline(tokens, place));

const checkbox = (isDone: boolean, words: Words): Node =>
  el("span", { role: "img", "aria-label": isDone ? words.done : words.open }, isDone ? "☑ " : "☐ ");

function link({ href, tokens, raw }: Tokens.Generic, place: Place): Node {
  const address = place.isInLink ? undefined : safe(href);
  return address ? anchor(address, inline(tokens, { ...place, isInLink: true })) : textOf(raw);
}

/** Nothing is loaded: the address of an image may carry away what the model has read. */
function image({ href, text }: Tokens.Generic, { words, isInLink }: Place): Node {
  const name = textOf(decoded(text) || words.image);
  const address = isInLink ? undefined : safe(href);
  return address ? anchor(address, [name]) : name;
}

const anchor = (href: string, children: Node[]): Node =>
  el("a", { href, title: href, target: "_blank", rel: "noopener noreferrer" }, ...children);

/** The address as the browser understands it, where it may be followed. */
function safe(href: string): string | undefined {
  try {
    const url = new URL(decoded(href));
    return SCHEMES.includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined; // not an address of its own: it would lead into this site
  }
}

/** The few names of characters that models write; the others stay as they are. */
function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi, (whole, decimal, hex, name) => {
    if (name) return ENTITIES[name.toLowerCase()]!;
    const code = decimal ? Number(decimal) : parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
