/** Server-Sent Events out of a fetch body: bytes in, frames out. `EventSource` can neither POST nor send headers. */

export interface Frame {
  /** The frame's `event` field; "message" where it has none. */
  event: string;
  /** Its `data` lines, joined by "\n". */
  data: string;
  /** The last `id` seen in the stream so far; "" before the first. */
  id: string;
}

/** Raised when a frame grows past the cap: the server sends something other than events. */
export class FrameTooLong extends Error {
  override name = "FrameTooLong";
}

/** Four times the longest line of the contract, in UTF-16 units. */
const MAX_FRAME = 1024 * 1024;

/**
 * Incremental parser. Chunks may end anywhere: inside a character, between CR and LF, in a field's name. What follows
 * the last empty line is dropped at the end of the stream, as the specification asks.
 *
 * The field `retry` is ignored: how fast to reconnect is the reader's decision here.
 */
export class SseParser {
  readonly #maxFrame: number;
  // Keeps half a character for the next chunk and swallows a byte order mark.
  readonly #decoder = new TextDecoder();
  #line = "";
  #afterCr = false;
  #event = "";
  #data: string[] = [];
  #size = 0;
  #id = "";

  constructor(maxFrame = MAX_FRAME) {
    this.#maxFrame = maxFrame;
  }

  /** Takes the next bytes and returns the frames that they complete. */
  push(bytes: Uint8Array): Frame[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    const frames: Frame[] = [];
    let from = this.#afterCr && text.startsWith("\n") ? 1 : 0;
    if (text) this.#afterCr = false;
    const ends = /\r\n?|\n/g;
    ends.lastIndex = from;
    for (let end = ends.exec(text); end; end = ends.exec(text)) {
      this.#grow(text.slice(from, end.index));
      this.#endLine(frames);
      from = ends.lastIndex;
      this.#afterCr = end[0] === "\r" && from === text.length;
    }
    this.#grow(text.slice(from));
    return frames;
  }

  #grow(piece: string): void {
    this.#line += piece;
    if (this.#size + this.#line.length > this.#maxFrame) {
      throw new FrameTooLong(`A frame is longer than ${this.#maxFrame} characters.`);
    }
  }

  #endLine(frames: Frame[]): void {
    const line = this.#line;
    this.#line = "";
    if (line) this.#field(line);
    else this.#dispatch(frames);
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") {
      this.#data.push(value);
      this.#size += line.length;
    } else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  #dispatch(frames: Frame[]): void {
    if (this.#data.length > 0) {
      frames.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
    }
    this.#event = "";
    this.#data = [];
    this.#size = 0;
  }
}
