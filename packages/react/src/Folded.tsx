import { useState } from "react";

interface Props {
  /** What the text is: "input", "result". */
  name: string;
  text: string;
  /** Bytes that the worker cut off. */
  cut?: number;
}

const LINES = 12;
const CHARACTERS = 800;

/** A text of any length: of a long one the beginning, with a button for the rest. */
export function Folded({ name, text, cut }: Props) {
  const [whole, setWhole] = useState(false);
  const beginning = beginningOf(text);
  const isLong = beginning.length < text.length;
  return (
    <>
      <pre aria-label={name} data-part={name}>{isLong && !whole ? `${beginning}…` : text}</pre>
      {isLong && (
        <button type="button" className="fold" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? `Less of the ${name}` : `The whole ${name} (${text.length.toLocaleString("en")} characters)`}
        </button>
      )}
      {cut && (
        <p className="note">
          {cut.toLocaleString("en")} more bytes of the {name} were left out.
        </p>
      )}
    </>
  );
}

function beginningOf(text: string): string {
  const lines = text.slice(0, CHARACTERS).split("\n", LINES).join("\n");
  return lines.length < text.length ? lines.replace(/[\uD800-\uDBFF]$/, "") : text; // not half an emoji
}
