import type { Failure } from "@agent-workers/react/stream";
import german from "./words/de.json";
import english from "./words/en.json";

/** All that the element says by itself. `:name` stands for what is put in. */
export type Words = Record<keyof typeof english, string>;

/** The words in a language such as "de-AT": English where there are none. */
export const wordsIn = (language: string): Words => (/^de\b/i.test(language) ? german : english);

/** A line with its values; a value is never read for names again. */
export const fill = (line: string, values: Record<string, string | number | undefined>): string =>
  line.replace(/:([a-z]+)/gi, (whole, name: string) => String(values[name] ?? whole));

const own = new Map(Object.entries(english).map(([name, line]) => [line, name as keyof Words]));

/** The message of a failure: what the reader of the stream says by itself is in English, and is translated. */
export const failureIn = (words: Words, failure: Pick<Failure, "message"> | undefined): string => {
  const name = own.get(failure?.message ?? "");
  return name ? words[name] : (failure?.message ?? "");
};
