// @vitest-environment node
/** What is published: its files, its types as others check them, and its size. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const HERE = join(import.meta.dirname, "..");
const MODULES = join(HERE, "../../node_modules");
const README = readFileSync(join(HERE, "README.md"), "utf8");
/** For what takes long on a busy machine. */
const PATIENCE_MS = 120_000;

/** An application that has installed the package. */
const application = mkdtempSync(join(tmpdir(), "application-"));
const installed = join(application, "node_modules/@agent-workers/react");
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: application, encoding: "utf8", timeout: PATIENCE_MS });

beforeAll(() => {
  mkdirSync(installed, { recursive: true });
  execFileSync("npm", ["pack", "--silent", "--pack-destination", application], { cwd: HERE, timeout: PATIENCE_MS });
  run("tar", "-xzf", readdirSync(application).find((name) => name.endsWith(".tgz"))!, "-C", installed, "--strip=1");
  for (const name of ["react", "@types"]) symlinkSync(join(MODULES, name), join(application, "node_modules", name));
  writeFileSync(join(application, "package.json"), '{"type": "module"}');
}, PATIENCE_MS);
afterAll(() => rmSync(application, { recursive: true }));

/** Bytes of what an application gets that imports this, without React. */
async function sizeOf(code: string): Promise<number> {
  const input = join(application, "size.js");
  writeFileSync(input, code);
  const { output } = (await build({
    configFile: false,
    root: application,
    logLevel: "silent",
    build: { write: false, target: "es2022", rolldownOptions: { input, external: /^react/, preserveEntrySignatures: "strict" } },
  })) as { output: { code: string }[] };
  return gzipSync(output[0]!.code).length;
}

describe("the package", () => {
  it("holds what was built, the types of the contract, and a README", () => {
    const sources = readdirSync(join(HERE, "src")).map((name) => name.replace(/\.tsx?$/, ""));
    const built = sources.flatMap((name) => [`${name}.d.ts`, `${name}.js`]);
    expect(readdirSync(join(installed, "dist")).sort()).toEqual([...built, "agent-workers.d.ts"].sort());
    expect(readdirSync(installed).sort()).toEqual(["README.md", "dist", "package.json"]);
  });

  it("has no dependency but React, which the application has", () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect([dependencies, peerDependencies]).toEqual([undefined, { react: ">=18" }]);
    const imported = readdirSync(join(installed, "dist"))
      .filter((name) => name.endsWith(".js"))
      .flatMap((name) => [...readFileSync(join(installed, "dist", name), "utf8").matchAll(/from "([^"]+)"/g)])
      .map(([, from]) => from!);
    expect([...new Set(imported.filter((from) => !from.startsWith("./")))].sort()).toEqual(["react", "react/jsx-runtime"]);
  });

  it.each(["bundler", "nodenext"])("checks the types of each example in the README: %s", (resolution) => {
    const examples = [...README.matchAll(/^```(tsx?)\n(.*?)^```$/gms)];
    expect(examples.length).toBeGreaterThan(5);
    for (const [index, [, kind, code]] of examples.entries()) writeFileSync(join(application, `example${index}.${kind}`), code!);
    const module = resolution === "bundler" ? "esnext" : "nodenext";
    const options = { strict: true, jsx: "react-jsx", target: "es2022", module, moduleResolution: resolution, noEmit: true };
    const include = ["example*"];
    writeFileSync(join(application, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...options, types: [] }, include }));
    expect(run(join(MODULES, ".bin/tsc"))).toBe("");
  }, PATIENCE_MS);

  it("has the types of the contract, not any", () => {
    writeFileSync(
      join(application, "tsconfig.json"),
      '{"compilerOptions": {"strict": true, "module": "nodenext", "noEmit": true, "types": []}, "files": ["wrong.ts"]}',
    );
    writeFileSync(
      join(application, "wrong.ts"),
      'import type { AgentEvent } from "@agent-workers/react/stream";\nexport const type: AgentEvent["type"] = "no_event";\n',
    );
    expect(() => run(join(MODULES, ".bin/tsc"))).toThrow(expect.objectContaining({ stdout: expect.stringContaining("no_event") }));
  }, PATIENCE_MS);

  it("runs in Node, and its stream without React", () => {
    rmSync(join(application, "node_modules/react"));
    const code = 'import("@agent-workers/react/stream").then(({ EVENT_TYPES }) => console.log(EVENT_TYPES.length))';
    expect(Number(run("node", "-e", code))).toBeGreaterThan(20);
    symlinkSync(join(MODULES, "react"), join(application, "node_modules/react"));
    expect(run("node", "-e", 'import("@agent-workers/react").then((all) => console.log(typeof all.useConversation))')).toBe("function\n");
  });

  it("is no larger than its README says", async () => {
    const [, all, one] = /at most (\d+) kB, minified and gzipped; `useAgentStream` alone at most (\d+) kB/.exec(README)!;
    const whole = await sizeOf('export * from "@agent-workers/react";');
    const hook = await sizeOf('export { useAgentStream } from "@agent-workers/react";');
    expect([whole / 1000 <= Number(all), hook / 1000 <= Number(one)], `${whole} ${hook}`).toEqual([true, true]);
    expect(hook).toBeLessThan(whole);
  }, PATIENCE_MS);
});
