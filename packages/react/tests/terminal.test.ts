// @vitest-environment node
import { describe, expect, it } from "vitest";
import { Terminal, withoutCodes } from "../src/terminal.js";

/** The lines as text after these pieces. */
function shown(...pieces: string[]): string[] {
  const terminal = new Terminal();
  for (const piece of pieces) terminal.write(piece);
  return terminal.screen().lines.map(({ spans }) => spans.map(({ text }) => text).join(""));
}

/** Text and style of the first line's spans. */
function spans(text: string): [string, string][] {
  const terminal = new Terminal();
  terminal.write(text);
  return terminal.screen().lines[0]!.spans.map((span) => [span.text, span.style]);
}

describe("what a program prints", () => {
  it.each<[string, string[], string[]]>([
    ["lines", ["one\ntw", "o\n"], ["one", "two"]],
    ["an open line", ["one\ntwo"], ["one", "two"]],
    ["CRLF, also cut in two", ["one\r", "\ntwo\r\n"], ["one", "two"]],
    ["a line that is written over", ["10%\r50%\r", "100%\n"], ["100%"]],
    ["a shorter text over a longer one, as a terminal does", ["12345\rab"], ["ab345"]],
    ["an erased line", ["12345\r\x1b[Kab", "c\r\x1b[2Kd"], ["d"]],
    ["a cursor that moves within its line", ["abcd\x1b[2DX\x1b[1GY\x1b[7Gz"], ["YbXd  z"]],
    ["backspaces", ["abc\b\bX\b\b\b\b\b\bY"], ["YXc"]],
    ["tabs", ["a\tb"], ["a       b"]],
    ["empty lines", ["\n\na\n"], ["", "", "a"]],
    ["emoji", ["🦜🦜\r🐦"], ["🐦🦜"]],
    ["moves to other lines, left out", ["one\n\x1b[1Atwo\x1b[2J\x1b[H\x1b[?25l"], ["one", "two"]],
    ["titles and links, left out", ["\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1bPq#0\x1b\\c\x1b(Bd"], ["abcd"]],
    ["a sequence cut anywhere", ["a\x1b", "[3", "1mb\x1b]0;ti", "tle\x07c"], ["abc"]],
    ["a broken sequence", ["a\x1b[31\nb"], ["a31", "b"]],
    ["what turns the direction of text, as a code", ["rm \u202eslaf\u202c", "\u2067x\u2069\n"], ["rm \\u202eslaf\\u202c\\u2067x\\u2069"]],
    ["bells, nulls and other controls", ["a\x07\x00\x0b\x85b"], ["ab"]],
  ])("shows %s", (_, pieces, lines) => expect(shown(...pieces)).toEqual(lines));

  it("is not swallowed by a sequence that never ends", () => {
    const text = shown("\x1b]0;" + "x".repeat(5000), "y\n").join("");
    expect(text).toContain("xy");
  });

  it("keeps what one stream began apart from the other", () => {
    const terminal = new Terminal();
    terminal.write("a\x1b[3", "stdout");
    terminal.write("1mb", "stderr");
    terminal.write("2mc", "stdout");
    expect(terminal.screen().lines[0]!.spans).toEqual([
      { text: "a", style: "" },
      { text: "1mb", style: "stderr" },
      { text: "c", style: "green" },
    ]);
  });

  it.each<[string, [string, string][]]>([
    ["\x1b[31mred\x1b[0m plain", [["red", "red"], [" plain", ""]]],
    ["\x1b[1;92mgood\x1b[22m on\x1b[39m", [["good", "green bold"], [" on", "green"]]],
    ["\x1b[38;5;196ma\x1b[38;5;46mb\x1b[38;5;21mc", [["a", "red"], ["b", "green"], ["c", "blue"]]],
    ["\x1b[38;5;9ma\x1b[38;5;255mb\x1b[38;2;1;2;3mc", [["a", "red"], ["b", "white"], ["c", "black"]]],
    ["\x1b[38:2:0:250:250ma\x1b[38:2::250:0:250mb", [["a", "cyan"], ["b", "magenta"]]],
    ["\x1b[48;5;196;4ma\x1b[24;9mb\x1b[m", [["a", "underline"], ["b", "strike"]]],
    ["\x1b[8mhidden\x1b[28m", [["hidden", ""]]],
    ["\x1b[38;5mx\x1b[38mx\x1b[999mx\x1b[;;mx", [["xxxx", ""]]],
  ])("has the colours of %j, of names of our own", (text, expected) => {
    for (const [, style] of spans(text)) expect(style).toMatch(/^[a-z ]*$/);
    expect(spans(text)).toEqual(expected);
  });

  it("is kept to its last lines, and says how many it leaves out", () => {
    const terminal = new Terminal();
    for (let at = 1; at <= 5000; at++) terminal.write(`line ${at}\n`);
    const { lines, leftOut } = terminal.screen();
    expect(lines).toHaveLength(500);
    expect(leftOut).toBe(4500);
    expect(lines[0]).toMatchObject({ number: 4501, spans: [{ text: "line 4501" }] });
    terminal.write("open");
    expect(terminal.screen()).toMatchObject({ leftOut: 4501 });
    expect(terminal.screen().lines.at(-2)).toBe(lines.at(-1));
  });

  it("goes on in the next line where a line has no end", () => {
    const lines = shown("x".repeat(1_000_000));
    expect(lines).toHaveLength(500);
    expect(Math.max(...lines.map((line) => line.length))).toBe(500);
  });

  it("is erased over and over at the price of once, however long the line", () => {
    const most = 1 << 16;
    const whole = withoutCodes(`${"x".repeat(most)}${"\x1b[1K".repeat(most)}\rab\x1b[1Kc`);
    expect(whole.length).toBe(most);
    expect(whole.trim()).toBe("c");
  });

  it("takes a mebibyte of short lines at no more for each than a tenth of it", () => {
    const cost = (count: number) => {
      const terminal = new Terminal();
      const before = process.cpuUsage();
      for (let at = 0; at < count; at++) terminal.write("y\n".repeat(1000));
      const { user, system } = process.cpuUsage(before);
      return (user + system) / count;
    };
    cost(50);
    expect(cost(500)).toBeLessThan(4 * cost(50));
  });
});
