/** The stream of events on stdout. */

import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import type { AgentEvent } from "./contract.ts";

/** What an event says beyond the envelope that all of them have. */
export type Body = Bare<AgentEvent>;
export type Terminal = Extract<Body, { type: "done" | "error" | "aborted" }>;
type Bare<E> = E extends AgentEvent ? Omit<E, "v" | "seq" | "run" | "ts"> : never;

const LONGEST = 256 * 1024;
const PIECE = /[^]{1,20000}/gu; // a character has twelve bytes at most
const KEPT = /^[^]{0,8000}/u; // of each field that is too long

// From now on no library can print into the stream.
process.stdout.write = process.stderr.write.bind(process.stderr);

export class Output {
  run: string = randomUUID();
  spokeAt = Date.now();
  wroteAt = Date.now();
  #seq = 0;
  #over = false;
  readonly #gone: () => void;

  /** `gone` is called where nobody reads any more. */
  constructor(gone: () => void) {
    this.#gone = gone;
  }

  /** Writes an event; none after the one that ends the run. */
  emit(body: Body): void {
    if (this.#over) return;
    this.#over = ["done", "error", "aborted"].includes(body.type);
    if (body.type === "delta" || body.type === "thinking") {
      for (const text of body.text.match(PIECE) ?? []) this.#write({ ...body, text });
    } else {
      this.#write(body);
    }
  }

  ping(): void {
    this.#write({ type: "ping", idle_ms: Date.now() - this.spokeAt });
  }

  #write(body: Body): void {
    const head = { v: 1 as const, seq: ++this.#seq, run: this.run, ts: new Date().toISOString() };
    const line = encoded({ ...head, ...body });
    this.#send(line.length < LONGEST ? line : encoded({ ...head, ...cut(body) }));
    this.wroteAt = Date.now();
    if (body.type !== "ping") this.spokeAt = this.wroteAt;
  }

  #send(line: string): void {
    const bytes = Buffer.from(line, "ascii");
    for (let sent = 0; sent < bytes.length; ) {
      try {
        sent += writeSync(1, bytes, sent);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return this.#gone();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // the reader is slow
      }
    }
  }
}

/** One line of ASCII. */
export function encoded(event: object): string {
  const json = JSON.stringify(wellFormed(event));
  return `${json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

/** The value with U+FFFD in place of each half of a surrogate pair. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name.toWellFormed(), wellFormed(field)]));
}

/** The event with its long fields cut, and with the number of bytes that are missing. */
function cut(body: Body): Body {
  let missing = 0;
  const fields = Object.entries(body).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (text.length <= 16_000 || name === "output") return [name, value];
    const kept = typeof value === "string" ? (KEPT.exec(text)?.[0] ?? "") : "";
    missing += Buffer.byteLength(text) - Buffer.byteLength(kept);
    return [name, typeof value === "string" ? kept : {}];
  });
  return { ...Object.fromEntries(fields), truncated_bytes: missing };
}
