// Prints the TypeScript declarations of the contract: `node generate.mjs FOLDER`, such as schemas/v1.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { compile } from "json-schema-to-typescript";

const folder = process.argv[2];
const files = (under) => readdirSync(join(folder, under)).filter((file) => file.endsWith(".schema.json")).sort();
const read = (...path) => JSON.parse(readFileSync(join(folder, ...path), "utf8"));

/** What says more of a value than its type does. */
const LIMITS = ["default", "format", "pattern", "contentEncoding", "minLength", "maxLength", "minItems", "maxItems",
  "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "not", "minProperties", "propertyNames"];
const OF_FILES = ["$schema", "$id", "$comment", "$defs", "title"];

/** Every type by its name. */
const types = {};

/** Adds a type and those that it consists of; of two alike, which differ in words or limits, the first one stays. */
function define(name, schema) {
  const type = { title: name, ...prepared(schema) };
  types[name] ??= type;
  if (!isDeepStrictEqual(wordless(types[name]), wordless(type))) throw new Error(`two schemas define ${name} differently`);
  for (const [inner, definition] of Object.entries(schema.$defs ?? {})) define(inner, definition);
  return { $ref: `#/$defs/${name}` };
}

/** The schema as a type: not closed, for a reader lets unknown fields pass, and open sets have any other value, too. */
function prepared(schema) {
  const { examples, ...rest } = mapped(schema, prepared);
  for (const keyword of [...LIMITS, ...OF_FILES]) delete rest[keyword];
  if (rest.additionalProperties === false) delete rest.additionalProperties;
  if (rest.type === "object" && !rest.properties) rest.additionalProperties ??= true; // free data
  if (rest.$ref) return { allOf: [{ $ref: rest.$ref }], description: rest.description };
  const known = examples?.map((value) => JSON.stringify(value));
  return known ? { ...rest, tsType: [...known, "(string & {})"].join(" | ") } : rest;
}

function wordless(schema) {
  const { description, ...rest } = mapped(schema, wordless);
  return rest;
}

/** The schema with each one that stands within it changed. */
function mapped(schema, change) {
  const changed = { ...schema };
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "properties") {
      changed[keyword] = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, change(field)]));
    } else if (keyword === "oneOf") {
      changed[keyword] = value.map(change);
    } else if (["items", "additionalProperties"].includes(keyword) && typeof value === "object") {
      changed[keyword] = change(value);
    }
  }
  return changed;
}

const union = (name, description, oneOf) => define(name, { description, oneOf });

function requests() {
  const kinds = files(".").filter((file) => file.endsWith("request.schema.json")).map((file) => read(file));
  const description = "What a worker reads first; each worker has its own.";
  return union("AgentRequest", description, kinds.map((kind) => define(kind.title === "Request" ? "ChatRequest" : kind.title, kind)));
}

function jobs() {
  const { description, oneOf, $defs } = read("job.schema.json");
  const kinds = oneOf.map(({ $ref }) => $ref.split("/").at(-1));
  for (const name of Object.keys($defs)) define(name, $defs[name]);
  return union("AgentJob", description, kinds.map((name) => ({ $ref: `#/$defs/${name}` })));
}

function messages() {
  const { description, oneOf, $defs } = read("control.schema.json");
  const kinds = oneOf.map(({ $ref }) => $ref.split("/").at(-1));
  for (const name of Object.keys($defs)) if (!kinds.includes(name)) define(name, $defs[name]);
  return union("ControlMessage", description, kinds.map((name) => define(`${name}Message`, $defs[name])));
}

function events() {
  const kinds = files("events").map((file) => read("events", file));
  const description = "One line of a run's output. Ignore types and fields that are not here: newer workers send more.";
  return union("AgentEvent", description, kinds.map((kind) => define(`${kind.title}Event`, kind)));
}

const oneOf = [requests(), jobs(), messages(), events()];
const line = { title: "AgentLine", description: "Whatever goes through a worker's pipes, and what waits for one.", oneOf, $defs: types };
process.stdout.write(await compile(line, "AgentLine", { bannerComment: "", additionalProperties: false }));
