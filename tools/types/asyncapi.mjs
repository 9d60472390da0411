// Says what is wrong with an AsyncAPI document: `node asyncapi.mjs FILE`; then the exit status is 1.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const [file] = process.argv.slice(2);
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"), { source: file });
for (const { severity, code, path, message } of diagnostics) {
  process.stdout.write(`${severity} ${code} /${path.join("/")}: ${message}\n`);
}
process.exitCode = document && diagnostics.every(({ severity }) => severity > 1) ? 0 : 1;
