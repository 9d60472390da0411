/** Characters; about what a browser parses and lays out within a frame. */
const LONGEST = 12_000;
/** The same for a text without a line break: to break it into lines is what takes the browser longest. */
const LONGEST_LINE = 4_000;
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

export interface Piece {
  text: string;
  /** False for a text without a place to cut it: it is shown as it is. */
  isMarkdown: boolean;
}

/**
 * Cuts a long Markdown text between its blocks. All pieces but the last stay as they are while the text grows, so that they are
 * rendered once.
 */
export function pieces(text: string): Piece[] {
  const cut: Piece[] = [];
  let rest = text;
  while (rest.length > LONGEST) {
    const { piece, next } = first(rest);
    cut.push(piece);
    rest = next;
  }
  return rest || cut.length === 0 ? [...cut, { text: rest, isMarkdown: true }] : cut;
}

function first(text: string): { piece: Piece; next: string } {
  const { gap, line, fence } = placesIn(text.slice(0, LONGEST));
  if (gap > 0) return { piece: { text: text.slice(0, gap), isMarkdown: true }, next: text.slice(gap) };
  if (line === 0) return plain(text, wholeCharacters(text, LONGEST_LINE));
  if (fence === undefined) return plain(text, line);
  // A long block of code goes on in a block of its own.
  const isWithin = line > fence.start;
  const end = isWithin ? line : wholeCharacters(text, LONGEST);
  const closed = `${text.slice(0, end)}${isWithin ? "" : "\n"}${fence.mark}\n`;
  return { piece: { text: closed, isMarkdown: true }, next: `${fence.opening}\n${text.slice(end)}` };
}

const plain = (text: string, end: number) => ({
  piece: { text: text.slice(0, end), isMarkdown: false },
  next: text.slice(end),
});

/** Not half an emoji. */
const wholeCharacters = (text: string, end: number) => (/[\uD800-\uDBFF]/.test(text[end - 1]!) ? end - 1 : end);

interface Places {
  /** After the last empty line outside of code; 0 if there is none. */
  gap: number;
  /** After the last whole line; 0 if there is none. */
  line: number;
  /** The block of code that is open there. */
  fence?: { opening: string; mark: string; start: number };
}

function placesIn(text: string): Places {
  const places: Places = { gap: 0, line: 0 };
  for (let end; (end = text.indexOf("\n", places.line)) >= 0; places.line = end + 1) {
    const line = text.slice(places.line, end);
    const [, mark, rest] = FENCE.exec(line) ?? [];
    const { fence } = places;
    if (!fence && mark) places.fence = { opening: line, mark, start: end + 1 };
    else if (fence && mark?.startsWith(fence.mark) && !rest!.trim()) places.fence = undefined;
    else if (!fence && !line.trim()) places.gap = end + 1;
  }
  return places;
}
