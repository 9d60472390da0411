// Prints the digest of each recorded run: `node digest.mjs FOLDER`, as conformance/README.md says.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

const TERMINAL = ["done", "error", "aborted"];
const folder = process.argv[2];
const facts = JSON.parse(readFileSync(`${folder}/reading.json`, "utf8"));

function encoded(value) {
  if (value === null || value === undefined) return "n";
  if (typeof value === "boolean") return value ? "t" : "f";
  if (typeof value === "number") return `i${value}e`;
  if (typeof value === "string") return `${Buffer.byteLength(value)}:${value}`;
  if (Array.isArray(value)) return `l${value.map(encoded).join("")}e`;
  const names = Object.keys(value).filter((name) => value[name] !== null);
  names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return names.length ? `d${names.map((name) => encoded(name) + encoded(value[name])).join("")}e` : "le";
}

function reading(recorded) {
  let entries = [];
  let blocks = { delta: new Map(), thinking: new Map() };
  for (const line of recorded.split("\n").slice(0, -1)) {
    const event = JSON.parse(line);
    if (event.type === "start" && event.attempt > 1) [entries, blocks] = [[], { delta: new Map(), thinking: new Map() }];
    const texts = blocks[event.type];
    if (texts) texts.set(event.block, (texts.get(event.block) ?? "") + event.text);
    else if (facts[event.type]) entries.push([event.type, ...facts[event.type].map((name) => event[name] ?? null)]);
    if (event.type === "discard") for (const block of event.blocks) for (const each of Object.values(blocks)) each.delete(block);
    if (TERMINAL.includes(event.type)) break;
  }
  if (!TERMINAL.includes(entries.at(-1)?.[0])) entries.push(["error", "worker_lost", true, null, null]);
  const text = (map) => [...map].sort(([one], [other]) => one - other).map(([, piece]) => piece).join("");
  return [entries, text(blocks.delta), text(blocks.thinking)];
}

const digests = {};
for (const file of readdirSync(`${folder}/transcripts`).sort()) {
  const recorded = readFileSync(`${folder}/transcripts/${file}`, "utf8");
  digests[file.replace(".ndjson", "")] = createHash("sha256").update(encoded(reading(recorded))).digest("hex");
}
console.log(JSON.stringify(digests));
