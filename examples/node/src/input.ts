/** Stdin: the request, and the control messages after it, checked by the contract's own schemas. */

import { readFileSync } from "node:fs";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import type { ChatRequest, ControlMessage, Problem } from "./contract.ts";

const schema = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../schemas/v1/${name}.schema.json`, import.meta.url), "utf8"));
const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false, verbose: true });

/** A request or a message that is refused. */
export class Refusal extends Error {
  readonly code: string;
  readonly problems: Problem[];

  constructor(code: string, problems: Problem[] = []) {
    super(code);
    this.code = code;
    this.problems = problems;
  }
}

const MOST_TOLD = 100; // problems: more would not fit a line
const DEEPEST = 128; // levels of JSON: some readers take few more, PHP 512
const tooDeep = new Refusal("invalid_json", [{ pointer: "", message: `is nested deeper than ${DEEPEST} levels` }]);

/** The lines of stdin, as bytes; the last one, too, where it has no newline. */
export async function* lines(): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield rest;
}

/** What a line or a document says. */
export function parsed(bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (depth(text) > DEEPEST) throw tooDeep;
    value = JSON.parse(text, finite);
  } catch (error) {
    if (error === tooDeep) throw error;
    throw new Refusal("invalid_json", [{ pointer: "", message: "is not JSON" }]);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Refusal("invalid_message", [{ pointer: "", message: "must be a JSON object" }]);
}

/** How deep brackets are nested; those in texts do not count. */
function depth(text: string): number {
  let [now, most] = [0, 0];
  for (const [mark] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (mark === "[" || mark === "{") most = Math.max(most, ++now);
    else if (mark === "]" || mark === "}") now--;
  }
  return most;
}

/** Refuses a number that JSON could not repeat. */
function finite(_: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new RangeError("beyond a double");
  return value;
}

/** The request, where it can be run here. */
export function accepted(document: Record<string, unknown>, control: boolean): ChatRequest {
  if ("v" in document && document.v !== 1) throw new Refusal("unsupported_version");
  const problems = faults(ajv.compile(schema("request")), document);
  const problem = (pointer: string, message: string) => problems.push({ pointer, message });
  const request = document as unknown as ChatRequest;
  if (Buffer.byteLength(JSON.stringify(request.metadata ?? {})) > 16384) problem("/metadata", "has more than 16384 bytes");
  for (const name of ["app_tools", "tools"] as const) {
    if (name in document && !control) problem(`/${name}`, "needs --control, for its answers come on stdin");
  }
  if (request.engine === "messages") problem("/engine", "must be agent: this worker has no other engine");
  if ("max_tokens" in document) problem("/max_tokens", "is for the engine messages only");
  if (problems.length > 0) throw new Refusal("invalid_request", problems);
  return request;
}

const control = schema("control");
ajv.addSchema(control);
const kinds = new Map<unknown, string>(
  Object.entries<any>(control.$defs).map(([name, kind]) => [kind.properties.type.const, name]),
);

/** The message, where it is one that the contract knows. */
export function message(document: Record<string, unknown>): ControlMessage {
  const kind = kinds.get(document.type);
  const check = kind && ajv.getSchema(`${control.$id}#/$defs/${kind}`);
  if (!check) throw new Refusal("unknown_type");
  if (!check(document)) throw new Refusal("invalid_message");
  return document as unknown as ControlMessage;
}

/** What checks a value by somebody else's schema. */
export function checker(foreign: Record<string, unknown>): ValidateFunction {
  const { $schema: _, $id: __, ...rest } = foreign;
  return ajv.compile(rest);
}

/** The faults, each at its place; of several at one place, the first. */
export function faults(check: ValidateFunction, value: unknown): Problem[] {
  check(value);
  const found = (check.errors ?? []).slice(0, MOST_TOLD).map(told);
  return found.filter((fault, at) => found.findIndex(({ pointer }) => pointer === fault.pointer) === at);
}

function told({ instancePath, keyword, params, message, parentSchema }: ErrorObject): Problem {
  if (keyword === "required") return { pointer: `${instancePath}/${params.missingProperty}`, message: "is required" };
  if (keyword !== "additionalProperties") return { pointer: instancePath, message: message ?? "is not valid" };
  const name = (params.additionalProperty as string).slice(0, 100); // enough to find it by
  const near = nearest(name, Object.keys(parentSchema?.properties ?? {}));
  const pointer = `${instancePath}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return { pointer, message: "is not a known field", ...(near && { did_you_mean: near }) };
}

/** The name that differs least, by the pairs of letters that two names share. */
function nearest(name: string, known: string[]): string | undefined {
  const pairs = (word: string) => new Set(Array.from(word, (letter, at) => letter + (word[at + 1] ?? "")));
  const likeness = (other: string) => {
    const [ours, theirs] = [pairs(name), pairs(other)];
    return (2 * [...ours].filter((pair) => theirs.has(pair)).length) / (ours.size + theirs.size);
  };
  const best = known.map((other) => ({ other, like: likeness(other) })).sort((a, b) => b.like - a.like)[0];
  return best && best.like >= 0.5 ? best.other : undefined;
}
