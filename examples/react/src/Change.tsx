import { type Json, plain } from "@agent-workers/react";
import { diffLines } from "diff";
import { useMemo, useState } from "react";
import { Rest } from "./Input";
import { lines as linesOf, WORDS } from "./words";

export interface FileChange {
  path: string;
  /** Each part of the file that is replaced; before it is undefined where the whole file is written. */
  edits: { before?: string; after: string; everywhere: boolean }[];
  /** What else is in the input. */
  rest: Json;
}

/** What a call would change in a file; undefined if it is no such call, or one of a form that is not known here. */
export function changeOf(name: string, input: Json): FileChange | undefined {
  const { file_path: path, ...others } = input;
  if (typeof path !== "string") return undefined;
  if (name === "Write") {
    const { content, ...rest } = others;
    return typeof content === "string" ? { path, edits: [{ after: content, everywhere: false }], rest } : undefined;
  }
  if (name === "Edit") {
    const { old_string: before, new_string: after, replace_all: all = false, ...rest } = others;
    const edit = editOf({ old_string: before, new_string: after, replace_all: all });
    return edit && { path, edits: [edit], rest };
  }
  if (name !== "MultiEdit" || !Array.isArray(others.edits)) return undefined;
  const { edits, ...rest } = others;
  const known = (edits as unknown[]).map(editOf);
  return known.every((edit) => edit !== undefined) ? { path, edits: known, rest } : undefined;
}

function editOf(value: unknown) {
  const { old_string: before, new_string: after, replace_all: everywhere = false, ...rest } = Object(value) as Json;
  const isKnown = typeof before === "string" && typeof after === "string" && typeof everywhere === "boolean";
  return isKnown && Object.keys(rest).length === 0 ? { before, after, everywhere } : undefined;
}

const LINES = 14;
const COMPARE_MS = 300;

/** A change as lines that go and lines that come. Of a long one the beginning, unless somebody decides on it. */
export function Change({ change: { path, edits, rest }, isWhole = false }: { change: FileChange; isWhole?: boolean }) {
  const lines = useMemo(() => edits.flatMap(rows), [edits]);
  const [isOpen, setOpen] = useState(isWhole);
  const shown = isOpen ? lines : lines.slice(0, LINES);
  return (
    <>
      <figure className="change">
        <figcaption>
          <code>{plain(path)}</code>
        </figcaption>
        <pre role="group" aria-label={WORDS.input} tabIndex={0} dir="ltr">
          {shown.map(({ kind, text }, index) => (
            <span key={index} className={kind}>
              <span className="for-ears">{SAID[kind]}</span>
              {text}
              {"\n"}
            </span>
          ))}
        </pre>
      </figure>
      {lines.length > LINES && !isWhole && (
        <button type="button" className="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? WORDS.lessOfChange : linesOf(lines.length)}
        </button>
      )}
      {isWhole && edits.some(({ before }) => before === undefined) && <p>{WORDS.wholeFile}</p>}
      {edits.some(({ everywhere }) => everywhere) && <p>{WORDS.everyOccurrence}</p>}
      <Rest rest={rest} />
    </>
  );
}

type Kind = "same" | "gone" | "new" | "gap";
const SAID: Record<Kind, string> = { same: "", gone: WORDS.removed, new: WORDS.added, gap: "" };

function rows({ before = "", after }: FileChange["edits"][number], index: number): { kind: Kind; text: string }[] {
  // What takes too long to compare is shown one after the other.
  const parts = diffLines(before, after, { timeout: COMPARE_MS }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ];
  const changes = parts.flatMap(({ value, added, removed }) =>
    value
      .replace(/\n$/, "")
      .split("\n")
      .map((text) => ({ kind: added ? ("new" as const) : removed ? ("gone" as const) : ("same" as const), text: plain(text) })),
  );
  return index > 0 ? [{ kind: "gap", text: "⋯" }, ...changes] : changes;
}
