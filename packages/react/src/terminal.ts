/** What a program prints, as a terminal would show it: the last state of each line, with its colours. Pure. */

export interface Span {
  text: string;
  /** Names of our own, separated by spaces; nothing that a program prints gets in here. */
  style: string;
}

export interface Line {
  /** 1 for the first line that was printed. */
  number: number;
  spans: Span[];
}

/** The last lines. A line that does not change stays the same object. */
export interface Screen {
  lines: Line[];
  /** How many lines before these are left out. */
  leftOut: number;
}

export type Stream = "stdout" | "stderr";

const LINES = 500;
/** As in a terminal, a longer line goes on in the next one. */
const COLUMNS = 500;
/** An escape sequence that is longer is none. */
const LONGEST_SEQUENCE = 4096;

/** What turns the direction of the text behind it, so that it reads as something else. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;
const seen = (text: string) => text.replace(TURNS, (char) => `\\u${char.charCodeAt(0).toString(16)}`);

/* eslint-disable no-control-regex */
const TOKEN =
  /(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]|[\x00-\x1f\x7f-\x9f]/g;
/** What may become an escape sequence with the next piece. */
const UNFINISHED = /(?:\x1b\[|\x9b)[0-?]*[ -/]*$|\x1b\][^\x07\x1b]*\x1b?$|\x1b[PX^_][^\x1b]*\x1b?$|\x1b[ -/]*$/;

export class Terminal {
  readonly #lines: number;
  readonly #columns: number;
  readonly #done: Line[] = [];
  #count = 0;
  #chars: string[] = [];
  #styles: string[] = [];
  #column = 0;
  /** So many cells from the first on are blank: who erases them over and over costs no time. */
  #blank = 0;
  readonly #rest: Record<Stream, string> = { stdout: "", stderr: "" };
  readonly #look: Record<Stream, Look> = { stdout: new Look(""), stderr: new Look("stderr") };

  constructor(lines = LINES, columns = COLUMNS) {
    this.#lines = lines;
    this.#columns = columns;
  }

  /** Takes the next piece that a program printed; pieces may end anywhere, also inside an escape sequence. */
  write(piece: string, stream: Stream = "stdout"): void {
    const look = this.#look[stream];
    let text = this.#rest[stream] + seen(piece);
    const unfinished = UNFINISHED.exec(text);
    this.#rest[stream] = unfinished && text.length - unfinished.index <= LONGEST_SEQUENCE ? unfinished[0] : "";
    text = text.slice(0, text.length - this.#rest[stream].length);
    let from = 0;
    for (const token of text.matchAll(TOKEN)) {
      this.#print(text.slice(from, token.index), look.style);
      from = token.index + token[0].length;
      if (token[2] === "m") look.apply(token[1]!);
      else if (token[2]) this.#move(token[2], token[1]!);
      else this.#control(token[0], look.style);
    }
    this.#print(text.slice(from), look.style);
  }

  screen(): Screen {
    const open = this.#chars.length > 0 ? [this.#line(this.#count + 1)] : [];
    const lines = [...this.#done, ...open].slice(-this.#lines);
    return { lines, leftOut: this.#count + open.length - lines.length };
  }

  #print(text: string, style: string): void {
    for (const char of text) {
      if (this.#column >= this.#columns) this.#endLine();
      while (this.#chars.length < this.#column) {
        this.#chars.push(" ");
        this.#styles.push("");
      }
      this.#blank = Math.min(this.#blank, this.#column);
      this.#chars[this.#column] = char;
      this.#styles[this.#column] = style;
      this.#column += 1;
    }
  }

  #control(char: string, style: string): void {
    if (char === "\n") this.#endLine();
    else if (char === "\r") this.#column = 0;
    else if (char === "\b") this.#column = Math.max(0, this.#column - 1);
    else if (char === "\t") this.#print(" ".repeat(8 - (this.#column % 8)), style);
  }

  /** Progress bars move within their line and erase it. Moves to other lines are left out. */
  #move(final: string, parameters: string): void {
    const [first] = parameters.split(";");
    const count = Math.max(1, Number(first) || 1);
    const to = (column: number) => (this.#column = Math.min(COLUMNS - 1, Math.max(0, column)));
    if (final === "G") to(count - 1);
    else if (final === "C") to(this.#column + count);
    else if (final === "D") to(this.#column - count);
    else if (final === "K") this.#erase(first || "0");
  }

  #erase(which: string): void {
    if (which === "0") this.#chars.length = this.#styles.length = Math.min(this.#chars.length, this.#column);
    else if (which === "1") {
      this.#chars.fill(" ", this.#blank, this.#column + 1);
      this.#blank = Math.max(this.#blank, this.#column + 1);
    } else if (which === "2") this.#chars.length = this.#styles.length = 0;
  }

  #endLine(): void {
    this.#count += 1;
    this.#done.push(this.#line(this.#count));
    if (this.#done.length >= 2 * this.#lines) this.#done.splice(0, this.#done.length - this.#lines);
    this.#chars = [];
    this.#styles = [];
    this.#column = this.#blank = 0;
  }

  #line(number: number): Line {
    const spans: Span[] = [];
    for (const [at, char] of this.#chars.entries()) {
      const last = spans.at(-1);
      const style = this.#styles[at]!;
      if (last?.style === style) last.text += char;
      else spans.push({ text: char, style });
    }
    return { number, spans };
  }
}

/** The lines as one text. */
export const textOf = (lines: Line[]): string =>
  lines.map(({ spans }) => spans.map(({ text }) => text).join("")).join("\n");

/** A whole text as a terminal would show it, without colours. */
export function withoutCodes(text: string): string {
  if (!/[\x1b\x9b\r\b]/.test(text)) return seen(text);
  const terminal = new Terminal(Infinity, Infinity);
  terminal.write(text);
  return textOf(terminal.screen().lines);
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const SHADES = [
  [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [60, 60, 238], [205, 0, 205], [0, 205, 205], [229, 229, 229],
] as const; // prettier-ignore
const KINDS: Record<number, string> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "bold", 9: "strike" };
const ENDS: Record<number, string[]> = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["bold"], 29: ["strike"] };

/**
 * The colour and kind of what is printed next. Colours are eight names, to which the page gives colours that can be read
 * on its own background; of other colours it is the nearest. Backgrounds and hidden text are left out, for the same reason.
 */
class Look {
  style: string;
  readonly #stream: string;
  readonly #kinds = new Set<string>();
  #colour = "";

  constructor(stream: string) {
    this.#stream = this.style = stream;
  }

  /** Takes the parameters of a "select graphic rendition". */
  apply(parameters: string): void {
    // With colons, a colour by its parts may name a colour space first.
    const plain = parameters.replace(/\b([345]8:2):\d*(:\d+:\d+:\d+)/g, "$1$2");
    const numbers = plain.split(/[;:]/).map(Number);
    while (numbers.length > 0) {
      const number = numbers.shift()!;
      if (number === 38) this.#colour = extended(numbers);
      else if (number === 48 || number === 58) extended(numbers);
      else this.#take(number);
    }
    this.style = [this.#stream, this.#colour, ...this.#kinds].filter(Boolean).join(" ");
  }

  #take(number: number): void {
    if (number === 0) {
      this.#kinds.clear();
      this.#colour = "";
    } else if (KINDS[number]) this.#kinds.add(KINDS[number]);
    else if (ENDS[number]) ENDS[number].forEach((kind) => this.#kinds.delete(kind));
    else if (number === 39) this.#colour = "";
    else if (number >= 30 && number <= 37) this.#colour = COLOURS[number - 30]!;
    else if (number >= 90 && number <= 97) this.#colour = COLOURS[number - 90]!;
  }
}

/** Takes the rest of a colour by number (`5;n`) or by red, green and blue (`2;r;g;b`), and names the nearest. */
function extended(numbers: number[]): string {
  const form = numbers.shift();
  if (form === 2) return nearest(numbers.splice(0, 3));
  const [number] = form === 5 ? numbers.splice(0, 1) : [];
  if (number === undefined) return "";
  if (number < 16) return COLOURS[number % 8]!;
  if (number >= 232) return nearest(Array(3).fill(8 + 10 * (number - 232)));
  const step = (place: number) => [0, 95, 135, 175, 215, 255][Math.floor((number - 16) / place) % 6]!;
  return nearest([step(36), step(6), step(1)]);
}

function nearest(colour: number[]): string {
  const distance = (shade: readonly number[]) => shade.reduce((sum, part, at) => sum + (part - (colour[at] ?? 0)) ** 2, 0);
  const distances = SHADES.map(distance);
  return COLOURS[distances.indexOf(Math.min(...distances))] ?? "";
}
