import { Folded, isAppTool, type Json, plain, pretty, type ToolCall } from "@agent-workers/react";
import { Change, changeOf } from "./Change";
import { colour } from "./CodeBlock";
import { WORDS } from "./words";

/** What a call was given, in its card: the beginning of what is long. */
export function Input({ call: { name, input, inputCut } }: { call: ToolCall }) {
  const change = changeOf(name, input);
  if (change && !inputCut) return <Change change={change} />;
  return <Folded name={WORDS.input} text={inWords(name, input)} cut={inputCut} />;
}

/** All that a call is given, for whoever decides on it: nothing of it is left out, and nothing in it is hidden. */
export function WholeInput({ name, input }: { name: string; input: Json }) {
  const change = changeOf(name, input);
  if (change) return <Change change={change} isWhole />;
  if (name !== "Bash" || typeof input.command !== "string") {
    return (
      <pre aria-label={WORDS.input} role="group" tabIndex={0} dir="auto">
        {inWords(name, input)}
      </pre>
    );
  }
  const { command, description, ...rest } = input;
  return (
    <>
      {typeof description === "string" && <p>{plain(description)}</p>}
      <pre className="command" aria-label={WORDS.input} role="group" tabIndex={0} dir="ltr">
        <code>{colour(plain(command as string), "bash")}</code>
      </pre>
      <Rest rest={rest} />
    </>
  );
}

/** Whatever else is in the input. */
export function Rest({ rest }: { rest: Json }) {
  const lines = Object.entries(rest).map(line);
  if (lines.length === 0) return null;
  return (
    <p className="rest">
      {WORDS.alsoSet}: {lines.join(", ")}
    </p>
  );
}

/** Further lines of a value are set in, so that none passes for another field. */
const line = ([name, value]: [string, unknown]): string =>
  `${plain(name)}: ${plain(typeof value === "string" ? value : JSON.stringify(value, null, 2)).replaceAll("\n", "\n    ")}`;

/** One line for each field; a command, or the one field that there is, by itself. */
function inWords(name: string, input: Json): string {
  const { description, ...rest } = input;
  const only = name === "Bash" && typeof description === "string" ? rest : input;
  const [first, ...more] = Object.values(only);
  const isText = typeof first === "string" && more.length === 0;
  if (isText && !isAppTool(name)) return plain(first);
  const isFlat = Object.values(input).every((value) => typeof value !== "object" || value === null);
  return isFlat ? Object.entries(input).map(line).join("\n") : pretty(input);
}
