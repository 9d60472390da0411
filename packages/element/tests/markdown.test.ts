/** The model's words as Markdown, and what they must not become. */

import { afterEach, describe, expect, it, vi } from "vitest";
import { fireEvent, waitFor } from "@testing-library/dom";
import { markdown } from "../src/markdown";
import type { Page } from "../src/page";
import { wordsIn } from "../src/words";

const page = { words: wordsIn("en"), keepEnd: (grow: () => void) => grow() } as unknown as Page;

function shown(text = "") {
  const view = markdown(page);
  document.body.append(view.node);
  view.show(text);
  return view;
}

/** What is in the piece that a short text is. */
const html = (text: string) => shown(text).node.firstElementChild!.innerHTML;
const links = (node: Element) => [...node.querySelectorAll("a")].map(({ href }) => href);

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

describe("Markdown", () => {
  it.each([
    ["a paragraph with a line break", "One  \ntwo", "<p>One<br>two</p>"],
    ["headings below the page's", "# A\n\n###### B", "<h3>A</h3><h6>B</h6>"],
    ["emphasis", "*a* **b** ~~c~~", "<p><em>a</em> <strong>b</strong> <del>c</del></p>"],
    ["inline code", "`a < b &amp; c`", "<p><code>a &lt; b &amp;amp; c</code></p>"],
    ["a list in a list", "- a\n  1. b\n- c", '<ul><li>a<ol start="1"><li>b</li></ol></li><li>c</li></ul>'],
    ["a list that begins elsewhere", "3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'],
    ["a quote and a rule", "> a\n\n---", "<blockquote><p>a</p></blockquote><hr>"],
    ["characters by their names", "a &lt;b&gt; &#8364; &amp;lt; \\*", "<p>a &lt;b&gt; € &amp;lt; *</p>"],
    ["names of characters that are no longer any", "&#0; &#x110000; &unknown;", "<p>\ufffd \ufffd &amp;unknown;</p>"],
  ])("shows %s", (_name, text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it("shows what is done of a list", () => {
    const { node } = shown("- [x] a\n- [ ] b\n\n  c");
    expect([...node.querySelectorAll("[role=img]")].map((each) => each.getAttribute("aria-label"))).toEqual(["done", "to do"]);
    expect(node.querySelectorAll("li.task")).toHaveLength(2);
  });

  it("shows a table in a box of its own, with its alignment", () => {
    const box = shown("|a|b|\n|:-:|--:|\n|1|**2**|").node.querySelector("[part=table]")!;
    expect(box.getAttribute("tabindex")).toBe("0");
    expect([...box.querySelectorAll("th")].map((cell) => cell.dataset.align)).toEqual(["center", "right"]);
    expect(box.querySelector("td strong")!.textContent).toBe("2");
  });

  it("copies a block of code, and tells so", async () => {
    const writeText = vi.fn().mockResolvedValueOnce(undefined).mockRejectedValueOnce(new Error("no"));
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    const { node } = shown("```js\nif (a < b) {\n```");
    const button = node.querySelector("button")!;
    fireEvent.click(button);
    await waitFor(() => expect(button.textContent).toBe("Copied"));
    expect(writeText).toHaveBeenCalledWith("if (a < b) {");
    fireEvent.click(button);
    await waitFor(() => expect(button.textContent).toBe("Not copied"));
  });

  it("has no button to copy where the page may not", () => {
    vi.stubGlobal("navigator", {});
    expect(shown("```\na\n```").node.querySelector("button")).toBeNull();
  });

  it("links to the web and to mail, in a tab that knows nothing of this one", () => {
    const { node } = shown("[a](https://a.example/?x=1&amp;y=2) <http://b.example> www.c.example d@e.example [f]\n\n[f]: https://f.example");
    expect(links(node)).toEqual([
      "https://a.example/?x=1&y=2",
      "http://b.example/",
      "http://www.c.example/",
      "mailto:d@e.example",
      "https://f.example/",
    ]);
    for (const link of node.querySelectorAll("a")) expect([link.target, link.rel]).toEqual(["_blank", "noopener noreferrer"]);
  });

  it.each([
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](<java\tscript:alert(1)>)",
    "[a](&#106;avascript:alert(1))",
    "[a](&#x6A;avascript&#58;alert(1))",
    "[a](\u0001javascript:alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](vbscript:x)",
    "[a](file:///etc/passwd)",
    "[a](blob:https://a.example/x)",
    "[a](/settings/delete)",
    "[a](//evil.example)",
    "[a][b]\n\n[b]: javascript:alert(1)",
    "[a]\n\n[a]: data:text/html,x",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "![a](javascript:alert(1))",
    "![a](data:image/svg+xml,x)",
    "**[_a_](javascript:alert(1))**",
    "- > [a](javascript:alert(1))",
    "|[a](javascript:x)|\n|-|\n|[b](data:x)|",
    "# [a](javascript:x)",
    '<a href="javascript:alert(1)">a</a>',
  ])("makes no link of %j", (text) => {
    const { node } = shown(text);
    expect(links(node)).toEqual([]);
    expect(node.textContent).toContain("a");
  });

  it.each([
    '<img src=x onerror="alert(1)">',
    "a <img src=x onerror=alert(1)> b",
    "<script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<iframe srcdoc='x'></iframe>",
    "<style>* { display: none }</style>",
    "> - <b onclick=x>y</b>",
    "|<img onerror=x>|\n|-|\n|<u>z</u>|",
    "[<img onerror=x>](https://a.example)",
    "# <form action=x><button>",
    "<!-- <img> -->",
  ])("shows the HTML in %j as text", (text) => {
    const { node } = shown(text);
    expect(node.querySelector("img, script, svg, iframe, style, b, u, form, button")).toBeNull();
    expect([...node.querySelectorAll("*")].flatMap((each) => each.getAttributeNames()).filter((name) => /^(on|src)/.test(name))).toEqual([]);
    for (const tag of text.match(/<\w+/g) ?? []) expect(node.textContent).toContain(tag);
  });

  it("loads no image: its text leads to it", () => {
    const { node } = shown("![A cat](https://a.example/?secret) ![](https://b.example) [![in](https://c.example)](https://d.example)");
    expect(node.querySelector("img")).toBeNull();
    expect(links(node)).toEqual(["https://a.example/?secret", "https://b.example/", "https://d.example/"]);
    expect([...node.querySelectorAll("a")].map(({ textContent }) => textContent)).toEqual(["A cat", "Image", "in"]);
    expect(node.querySelector("a a")).toBeNull();
  });

  it("shows what is nested too deeply as it was written", () => {
    for (const text of [">".repeat(11_000) + "a", "> ".repeat(200) + "a", `${"[".repeat(3_000)}a`, `${"*a ".repeat(900)}`]) {
      const { node } = shown(text);
      expect(node.textContent).toContain("a");
      let depth = 0;
      for (let at: Element | null = node; at; at = at.lastElementChild) depth += 1;
      expect(depth).toBeLessThan(60);
    }
  });
});

describe("Markdown that grows", () => {
  it("is made anew in its last block alone, and becomes what the whole text is", () => {
    const text = "# A\n\nOne [x] *two*\n\n- a\n\n- b\n  c\n\n```\ncode\nmore\n```\n\n|a|b|\n|-|-|\n|1|2|\n\nend\n";
    const view = shown("# A\n\nOne");
    const first = view.node.querySelector("h3");
    for (let end = 8; end <= text.length; end += 1) view.show(text.slice(0, end));
    expect(view.node.querySelector("h3")).toBe(first);
    expect(view.node.innerHTML).toBe(shown(text).node.innerHTML);
  });

  it("keeps a block of code in its place while it grows", () => {
    const view = shown("```\na");
    const kept = view.node.querySelector("code")!.firstChild;
    view.show("```\na\nb");
    expect(view.node.querySelector("code")!.firstChild).toBe(kept);
    expect(kept!.textContent).toBe("a\nb");
  });

  it("makes a link of what a later line explains", () => {
    const view = shown("See [a].\n\nMore.");
    expect(links(view.node)).toEqual([]);
    view.show("See [a].\n\nMore.\n\n[a]: https://a.example");
    expect(links(view.node)).toEqual(["https://a.example/"]);
  });

  it("comes piece by piece where a megabyte comes at once", async () => {
    const line = "Some **words** of a long answer.\n\n";
    const text = line.repeat(Math.ceil((1 << 20) / line.length));
    const view = shown(text);
    expect(view.node.children).toHaveLength(1);
    await vi.waitFor(() => expect(view.node.children.length).toBeGreaterThan(1), { timeout: 60_000 });
    const first = view.node.firstElementChild!.firstElementChild;
    view.show(`${text}end`);
    expect(view.node.firstElementChild!.firstElementChild).toBe(first);
    view.node.remove(); // the rest of it is not waited for
  });
});
