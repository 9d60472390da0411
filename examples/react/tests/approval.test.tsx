import type { Json } from "@agent-workers/react";
import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { WholeInput } from "../src/Input";
import { mayDo } from "../src/toolWords";

const show = (name: string, input: Json) => render(<WholeInput name={name} input={input} />).container;
const rows = (page: HTMLElement) =>
  [...page.querySelectorAll("pre > span")].map((row) => [row.className, row.lastChild!.previousSibling!.textContent]);

describe("what is to be decided on", () => {
  it("is, of a change, the lines that go and the lines that come, with the file", () => {
    const page = show("Edit", { file_path: "a.txt", old_string: "one\ntwo\nthree", new_string: "one\n2\nthree" });
    expect(page.querySelector("figcaption")!.textContent).toBe("a.txt");
    expect(rows(page)).toEqual([
      ["same", "one"],
      ["gone", "two"],
      ["new", "2"],
      ["same", "three"],
    ]);
    expect(page.textContent).not.toContain("Every occurrence");
  });

  it("is, of a new file, all of its lines", () => {
    const page = show("Write", { file_path: "a.txt", content: "x\n".repeat(300) });
    expect(rows(page)).toHaveLength(300);
    expect(page.textContent).toContain("the whole content of the file");
  });

  it("is, of a command, the command and whatever else is set", () => {
    const page = show("Bash", { command: "rm -r \u202Ebuild", description: "Tidies", timeout: 5, run_in_background: true });
    expect(page.querySelector("pre")!.textContent).toBe("rm -r \\u202ebuild");
    expect(page.textContent).toContain("Tidies");
    expect(page.textContent).toContain("timeout: 5, run_in_background: true");
  });

  it.each<[string, Json]>([
    ["Edit", { file_path: "a", old_string: "b", new_string: "c", replace_all: true, spy: "on you" }],
    ["Edit", { file_path: "a", old_string: "b", new_string: 7, spy: "on you" }],
    ["Write", { file_path: "a", content: "b", spy: "on you" }],
    ["MultiEdit", { file_path: "a", edits: [{ old_string: "b", new_string: "c", spy: "on you" }] }],
    ["MultiEdit", { file_path: "a", edits: "b", spy: "on you" }],
    ["Bash", { command: ["b"], spy: "on you" }],
    ["mcp__crm__pay", { amount: { spy: "on you" } }],
  ])("hides nothing of what it does not know (%s %j)", (name, input) => {
    expect(show(name, input).textContent).toContain("on you");
  });

  it("has no line of a value that passes for another field", () => {
    const page = show("mcp__crm__pay", { note: "Thanks\namount: 1", amount: 1_000_000 });
    expect(page.querySelector("pre")!.textContent).toBe("note: Thanks\n    amount: 1\namount: 1000000");
  });

  it("says of several changes where one ends, and of one that is made everywhere that it is", () => {
    const edits = [
      { old_string: "a", new_string: "b" },
      { old_string: "c", new_string: "d", replace_all: true },
    ];
    const page = show("MultiEdit", { file_path: "f", edits });
    expect(rows(page).map(([kind]) => kind)).toEqual(["gone", "new", "gap", "gone", "new"]);
    expect(page.textContent).toContain("Every occurrence");
  });

  it("is asked as people would ask", () => {
    expect(mayDo("Edit", { file_path: "a.txt" }, false)).toBe("May the agent edit a.txt?");
    expect(mayDo("Bash", {}, true)).toBe("May a subagent run this command?");
    expect(mayDo("Write", {}, false)).toBe("May the agent use Write?");
    expect(mayDo("constructor", {}, false)).toBe("May the agent use constructor?");
  });
});
