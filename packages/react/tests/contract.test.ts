// @vitest-environment node
/** What the example knows and the contract, side by side. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type AgentEvent, EVENT_TYPES, isKnown, readEvent } from "../src/events.js";
import { SseParser } from "../src/sse.js";
import { Transcript } from "../src/transcript.js";

const ROOT = new URL("../../../", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, ROOT), "utf8");
const namesIn = (folder: string) => readdirSync(new URL(folder, ROOT)).map((file) => file.split(".")[0]!);

describe("events", () => {
  it("are those of the contract's schemas", () => {
    expect([...EVENT_TYPES].sort()).toEqual(namesIn("schemas/v1/events").sort());
  });

  it.each(namesIn("tests/protocol/golden"))("of the type %s are understood in the contract's own example", (type) => {
    const example = read(`tests/protocol/golden/${type}.json`);
    const event = readEvent(example)!;
    expect(isKnown(event) && event.type).toBe(type);
    expect(() => new Transcript().apply(event as AgentEvent)).not.toThrow();
  });
});

/** What `conformance/README.md` calls a reading: the facts of the events, the text, and the thinking. */
type Reading = [entries: unknown[][], text: string, thinking: string];

/** The answer after a recorded run, which comes as the server sends it: a frame for each whole line. */
function answerOf(recorded: string) {
  const lines = recorded.split("\n").slice(0, -1);
  const frames = new SseParser().push(new TextEncoder().encode(lines.map((line) => `data: ${line}\n\n`).join("")));
  const transcript = new Transcript();
  for (const { data } of frames) {
    const event = readEvent(data)!;
    if (isKnown(event)) transcript.apply(event);
  }
  return transcript.answer();
}

describe("a recorded run", () => {
  it.each(namesIn("conformance/v1/transcripts"))("%s is read as by every other reader", (name) => {
    const answer = answerOf(read(`conformance/v1/transcripts/${name}.ndjson`));
    const [entries, text, thinking] = JSON.parse(read(`conformance/v1/readings/${name}.json`)) as Reading;
    const factsOf = (type: string) => entries.filter((entry) => entry[0] === type).map((entry) => entry.slice(1));
    const orNull = (...facts: unknown[]) => facts.map((fact) => fact ?? null);

    expect([answer.text, answer.thinking]).toEqual([text, thinking]);
    expect(answer.toolCalls.map((call) => orNull(call.id, call.name, call.input, call.parentId))).toEqual(
      factsOf("tool_call"),
    );
    const results = answer.toolCalls.filter(({ status }) => status !== "running");
    const byId = (facts: unknown[][]) => new Map(facts.map(([id, ...rest]) => [id, rest]));
    expect(byId(results.map((call) => orNull(call.id, call.status, call.content, call.retryable)))).toEqual(
      byId(factsOf("tool_result")),
    );
    const settled = answer.permissions.map(({ id, resolved }) => [id, resolved?.behavior, resolved?.by, resolved?.actor]);
    expect(settled.map((facts) => orNull(...facts))).toEqual(factsOf("permission_resolved"));
    const answered = answer.questions.map(({ id, resolved }) => orNull(id, resolved?.by, resolved?.actor));
    expect(answered).toEqual(factsOf("question_resolved"));
    expect(answer.notices.map(({ level, code, message }) => [level, code, message])).toEqual(factsOf("notice"));
    expect(answer.stopReason ?? null).toBe(factsOf("done")[0]?.[0] ?? null);
    expect(answer.output ?? null).toEqual(factsOf("done")[0]?.[2] ?? null);
  });
});
