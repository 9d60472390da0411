// @vitest-environment node
/** The file that is published. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { describe, expect, it } from "vitest";

const HERE = join(import.meta.dirname, "..");
const DIST = join(HERE, "../../php-bridge/resources/dist");
const NAME = "agent-chat-element.js";
const README = readFileSync(join(HERE, "README.md"), "utf8");
const sources = readdirSync(join(HERE, "src")).filter((name) => name.endsWith(".ts")).map((name) => readFileSync(join(HERE, "src", name), "utf8")).join("\n");
const file = readFileSync(join(DIST, NAME), "utf8");

describe("the README", () => {
  const found = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].flatMap(([, name]) => name!.split(" ")))].sort();

  it("lists every part, every custom property and every attribute, and no other", () => {
    const [, parts] = /^Its parts: (.*?)\.$/ms.exec(README)!;
    expect(found(parts!, /`([\w-]+)`/g)).toEqual(found(sources, /\bpart: [`"]([\w -]+)["`]/g));
    const properties = /(--agent-chat-[\w-]+)/g;
    expect(found(README, properties)).toEqual(found(sources, properties));
    const rows = README.split("## Looks")[0]!.match(/^\| `.*?\|/gm)!.join();
    expect(found(rows, /`([\w-]+)`/g)).toEqual(found(sources, /\b(?:get|has)Attribute\("([\w-]+)"\)/g));
  });
});

describe("the file that the Composer package has", () => {
  it("is what the sources make: `make element` writes it anew", async () => {
    const { output } = (await build({ root: HERE, logLevel: "silent", build: { write: false } })) as {
      output: { fileName: string; code: string }[];
    };
    expect(output.map(({ fileName }) => fileName)).toEqual([NAME]);
    expect(output[0]!.code === file, "run `make element`, and commit what it writes").toBe(true);
    expect(readdirSync(DIST)).toEqual([NAME]);
  });

  it("needs no other file, and no React", () => {
    expect(file).not.toMatch(/\bimport\b\s*[({"'*\w]|\brequire\(|jsx/);
  });

  it("is no larger than its README says", () => {
    const [, most] = /at most (\d+) kB gzipped/.exec(README)!;
    expect(gzipSync(file).length).toBeLessThanOrEqual(Number(most) * 1000);
  });
});
