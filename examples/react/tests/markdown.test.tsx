import { act, render, screen, waitFor } from "@testing-library/react";
import type { ComponentProps } from "react";
import { describe, expect, it, vi } from "vitest";
import { Markdown } from "../src/Markdown";
import { pieces } from "@agent-workers/react/pieces";

const read = vi.hoisted(() => vi.fn<(text?: string) => void>());
/** Streamdown itself, with a note of what it is to read. */
vi.mock("streamdown", async (original) => {
  const all = await original<typeof import("streamdown")>();
  const Streamdown = (props: ComponentProps<typeof all.Streamdown>) => {
    read(props.children);
    return <all.Streamdown {...props} />;
  };
  return { ...all, Streamdown };
});

const show = (text: string, isLive = false) => render(<Markdown text={text} isLive={isLive} />).container;
const PARAGRAPHS = Array.from({ length: 600 }, (_, number) => `Paragraph **${number}** of a long answer.\n\n`);

describe("the model's Markdown", () => {
  it("becomes headings below those of the page, lists, and a table that scrolls in a box of its own", () => {
    const page = show("# Ports\n\n- one\n- [x] two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
    expect(page.querySelector("h3")!.textContent).toBe("Ports");
    expect(page.querySelector("h1, h2")).toBeNull();
    expect(page.querySelectorAll("li")).toHaveLength(2);
    screen.getByRole("img", { name: "done" });
    expect(page.querySelector("[role=group][tabindex='0'] > table")!.textContent).toContain("1");
    expect(page.textContent).not.toMatch(/[#|]/);
  });

  it("shows code with its language, colours, and a button that copies it", async () => {
    const copied: string[] = [];
    Object.defineProperty(navigator, "clipboard", {
      configurable: true,
      value: { writeText: async (text: string) => void copied.push(text) },
    });
    const page = show('```python\nprint("hi")  # greets\n```\n');
    expect(page.querySelector("figcaption")!.textContent).toContain("python");
    expect(page.querySelector("pre .hljs-comment")!.textContent).toBe("# greets");
    await act(async () => screen.getByRole("button", { name: /^Copy/ }).click());
    expect(copied).toEqual(['print("hi")  # greets\n']);
    screen.getByRole("button", { name: "Copied: Code" });
  });

  it("has links that open apart and tell nobody where they stood, and none that runs a script", () => {
    const page = show("[good](https://example.com/a) [bad](javascript:alert(1)) ![spy](https://example.com/pixel.png)");
    const [good] = page.querySelectorAll("a");
    expect([good!.href, good!.target, good!.rel]).toEqual([
      "https://example.com/a",
      "_blank",
      "noopener noreferrer nofollow",
    ]);
    expect(page.querySelector("[href^=javascript]")).toBeNull();
    expect(page.querySelector("img")).toBeNull();
  });

  it("is whole while it comes: what is not closed yet shows none of its signs", () => {
    expect(show("Some **bold te", true).textContent).toBe("Some bold te");
  });

  it.each([">".repeat(9_000), `${"- ".repeat(4_500)}deep`])("that nests too deep to be read is shown as it is (%#)", (deep) => {
    vi.spyOn(console, "error").mockImplementation(() => {}); // React tells of what it has caught
    const page = show(`${deep}\n`, true);
    expect(page.textContent).toBe(`${deep}\n`);
    vi.restoreAllMocks();
  });

  it("is written from right to left where its language is", () => {
    expect(show("שלום עולם").querySelector("[dir=rtl]")).not.toBeNull();
  });
});

describe("a long answer", () => {
  it("is cut between blocks into pieces that stay as they are while it grows", () => {
    const whole = pieces(PARAGRAPHS.join(""));
    const before = pieces(PARAGRAPHS.slice(0, 560).join(""));
    expect(whole.map(({ text }) => text).join("")).toBe(PARAGRAPHS.join(""));
    expect(before.slice(0, -1)).toEqual(whole.slice(0, before.length - 1));
    expect(before.length).toBeGreaterThan(1);
  });

  it("keeps a block of code whole, or has it go on as code", () => {
    const code = `\`\`\`js\n${"let x = 1;\n\n".repeat(3_000)}\`\`\`\n\nThe end.`;
    const cut = pieces(code);
    expect(cut.length).toBeGreaterThan(1);
    for (const { text } of cut) expect(text).toMatch(/^```js\n[^]*\n```\n/);
    expect(cut.at(-1)!.text).toMatch(/The end\.$/);
    const line = `\`\`\`\n${"x".repeat(40_000)}\n\`\`\`\n`;
    expect(pieces(line).map(({ text }) => text.replaceAll(/[^x]/g, "")).join("")).toHaveLength(40_000);
  });

  it("without a place to cut it is shown whole, as it is, with no emoji in halves", async () => {
    const text = "😀".repeat(20_000);
    expect(pieces(text).every((piece) => piece.text.length % 2 === 0)).toBe(true);
    const page = show(text);
    await waitFor(() => expect(page.textContent).toBe(text));
  });

  it("renders only what is new in it: a word more costs a small part of the whole", async () => {
    const shown = (text: string) => <Markdown text={text} isLive />;
    const text = PARAGRAPHS.join("");
    const { container, rerender } = render(shown(text));
    await waitFor(() => expect(container.textContent).toContain("599 of"));
    const kept = container.querySelector(".markdown")!.firstElementChild;
    read.mockClear();
    for (let word = 0; word < 10; word++) rerender(shown(`${text}${"word ".repeat(word + 1)}`));
    const last = pieces(text).at(-1)!.text;
    expect(read.mock.calls).toEqual(Array.from({ length: 10 }, (_, word) => [`${last}${"word ".repeat(word + 1)}`]));
    expect(container.querySelector(".markdown")!.firstElementChild).toBe(kept);
  });

  it("is put into the page a few pieces at a time", () => {
    const text = PARAGRAPHS.join("").repeat(4);
    expect(show(text).querySelectorAll(".markdown").length).toBeLessThan(pieces(text).length);
  });
});
