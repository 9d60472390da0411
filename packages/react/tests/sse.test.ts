// @vitest-environment node
import { describe, expect, it } from "vitest";
import { type Frame, FrameTooLong, SseParser } from "../src/sse.js";

const bytes = (text: string) => new TextEncoder().encode(text);

function parse(...chunks: (string | Uint8Array)[]): Frame[] {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(typeof chunk === "string" ? bytes(chunk) : chunk));
}

const data = (...chunks: (string | Uint8Array)[]) => parse(...chunks).map((frame) => frame.data);

const SPEECH =
  'id: r:1\nevent: delta\ndata: {"text":"Grüße 🦜 漢字 \u2028"}\n\n: beat\n\ndata: a\ndata: b\n\nevent: done\ndata: {}\n\n';

describe("SseParser", () => {
  for (const [name, end] of [
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ] as const) {
    const whole = bytes(SPEECH.replaceAll("\n", end));
    const expected: Frame[] = [
      { event: "delta", data: '{"text":"Grüße 🦜 漢字 \u2028"}', id: "r:1" },
      { event: "message", data: "a\nb", id: "r:1" },
      { event: "done", data: "{}", id: "r:1" },
    ];

    it(`reads the same frames wherever one cut falls, with ${name}`, () => {
      for (let cut = 0; cut <= whole.length; cut++) {
        expect(parse(whole.subarray(0, cut), whole.subarray(cut)), `cut at ${cut}`).toEqual(expected);
      }
    });

    it(`reads the same frames byte by byte, with ${name}`, () => {
      expect(parse(...Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual(expected);
    });
  }

  it("hands a frame over as soon as its empty line is there, also where that ends in CR", () => {
    expect(data("data: now\r\n\r")).toEqual(["now"]);
  });

  it("does not take the second half of a CRLF for an empty line", () => {
    expect(data("data: a\r", "\ndata: b\r", "", "\ndata: c\r\n\r", "\n")).toEqual(["a\nb\nc"]);
  });

  it("swallows a byte order mark, also a divided one", () => {
    const marked = bytes("\uFEFFdata: x\n\n");
    expect(data(marked)).toEqual(["x"]);
    expect(data(marked.subarray(0, 1), marked.subarray(1, 2), marked.subarray(2))).toEqual(["x"]);
  });

  it("replaces bytes that are no UTF-8 and reads on", () => {
    expect(data(Uint8Array.of(0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a), "data: y\n\n")).toEqual(["\uFFFD", "y"]);
  });

  it("takes away one space after the colon and no more", () => {
    expect(data("data:x\n\ndata: x\n\ndata:  x\n\n")).toEqual(["x", "x", " x"]);
  });

  it("knows a field without a colon, and ignores unknown fields", () => {
    expect(data("data\n\nretry: 5\nfoo: bar\nDATA: no\ndata: x\n\n")).toEqual(["", "x"]);
  });

  it("makes no frame of comments, ids or events without data, and forgets the event's name", () => {
    expect(parse(": hello\n\nid: 7\n\nevent: lost\n\ndata: x\n\n")).toEqual([{ event: "message", data: "x", id: "7" }]);
  });

  it("ignores an id with NUL and resets it by an empty one", () => {
    expect(parse("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\n").map((frame) => frame.id)).toEqual([
      "1",
      "1",
      "",
    ]);
  });

  it("drops what the stream's end leaves unfinished", () => {
    expect(data("data: whole\n\ndata: half\n")).toEqual(["whole"]);
  });

  it("refuses a frame that never ends, be it one line, many or a comment", () => {
    for (const chunk of ["x", "data: x\n", ":"]) {
      const parser = new SseParser(100);
      expect(() => Array.from({ length: 200 }, () => parser.push(bytes(chunk))), chunk).toThrow(FrameTooLong);
    }
  });

  it("lets any number of short frames and comments pass below the cap", () => {
    const parser = new SseParser(100);
    const frames = Array.from({ length: 1000 }, () => parser.push(bytes(": beat\ndata: x\n\n"))).flat();
    expect(frames).toHaveLength(1000);
  });

  it("reads a megabyte that arrives in tiny pieces without rescanning it", () => {
    const parser = new SseParser(2 ** 21);
    const piece = bytes("x".repeat(16));
    parser.push(bytes("data:"));
    for (let i = 0; i < 65_536; i++) parser.push(piece);
    expect(parser.push(bytes("\n\n"))[0]?.data).toHaveLength(2 ** 20);
  });
});
