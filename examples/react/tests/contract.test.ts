// @vitest-environment node
/** The hand-written types and the generated contract, side by side. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type AgentEvent, EVENT_TYPES, isKnown, readEvent } from "../src/events";
import { Transcript } from "../src/transcript";

const ROOT = new URL("../../../", import.meta.url);
const namesIn = (folder: string) => readdirSync(new URL(folder, ROOT)).map((file) => file.split(".")[0]!);

describe("events", () => {
  it("are those of the contract's schemas", () => {
    expect([...EVENT_TYPES].sort()).toEqual(namesIn("schemas/v1/events").sort());
  });

  it.each(namesIn("tests/protocol/golden"))("of the type %s are understood in the contract's own example", (type) => {
    const example = readFileSync(new URL(`tests/protocol/golden/${type}.json`, ROOT), "utf8");
    const event = readEvent(example)!;
    expect(isKnown(event) && event.type).toBe(type);
    expect(() => new Transcript().apply(event as AgentEvent)).not.toThrow();
  });
});
