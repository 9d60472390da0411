// @vitest-environment node
/** What Laravel's own hooks make of our events: the frames of the contract, and Laravel's form of event streams. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { useEventStream, useStream } from "@laravel/stream-react";
import { act, renderHook, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EVENT_TYPES, readEvent } from "../src/events.js";
import { serveEachTest, server } from "./hook.js";
import { frame, RUN } from "./server.js";

// A page for React, around Node's own events: its EventSource can't dispatch those of the jsdom environment.
await vi.hoisted(async () => {
  // @ts-expect-error - jsdom brings no types
  const { window } = new (await import("jsdom")).JSDOM("<!doctype html>");
  Object.assign(globalThis, { window, document: window.document });
});

serveEachTest();

const HELLO = { type: "delta", text: "Grüße 🦜", block: 1 } as const;
const DONE = {
  type: "done",
  stop_reason: "end_turn",
  text: "Grüße 🦜",
  session_id: "s",
  usage: {},
  duration_ms: 1,
  turns: 1,
} as const;

/** The event's JSON as the worker writes it: every character above ASCII escaped. */
const line = (seq: number, body: typeof HELLO | typeof DONE) =>
  /data: (.*)/
    .exec(frame(seq, body))![1]!
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

describe("useEventStream", () => {
  it("understands Laravel's form: the event `update`, and `</stream>` at the end", async () => {
    server.onResume = (call) =>
      call
        .open()
        .write(`event: update\ndata: ${line(1, HELLO)}\n\nevent: update\ndata: ${line(2, DONE)}\n\n`)
        .write("event: update\ndata: </stream>\n\n");
    const onComplete = vi.fn();
    const { result } = renderHook(() => useEventStream(`${server.base}/runs/${RUN}/events`, { onComplete }));
    await waitFor(() => expect(result.current.messageParts).toHaveLength(2));
    await waitFor(() => expect(onComplete).toHaveBeenCalledOnce());
    const events = result.current.messageParts.map(readEvent);
    expect(events).toMatchObject([
      { ...HELLO, seq: 1 },
      { ...DONE, seq: 2 },
    ]);
    await server.resumes[0]!.gone;
  });

  it("shows the text by the lines that the bridge's README has", async () => {
    const readme = readFileSync(join(import.meta.dirname, "../../../php-bridge/README.md"), "utf8");
    const [, lines] = /^```js\n(const \[text, setText\].*?)^```$/ms.exec(readme)!;
    const use = new Function("useState", "useEventStream", "report", `${lines} return text;`);
    const hook = (_: string, options: object) => useEventStream(`${server.base}/runs/${RUN}/events`, options);
    server.onResume = (call) =>
      call.open().write([line(1, HELLO), line(2, DONE), "</stream>"].map((data) => `event: update\ndata: ${data}\n\n`).join(""));
    const { result } = renderHook(() => use(useState, hook, { id: 7 }));
    await waitFor(() => expect(result.current).toBe(HELLO.text));
    expect(server.resumes).toHaveLength(1);
  });

  it("understands our own frames when it is given their names", async () => {
    server.onResume = (call) => call.open().say(HELLO, DONE);
    const { result } = renderHook(() =>
      useEventStream(`${server.base}/runs/${RUN}/events`, {
        eventName: EVENT_TYPES.filter((type) => type !== "error"),
      }),
    );
    await waitFor(() => expect(result.current.messageParts).toHaveLength(2));
    expect(result.current.messageParts.map(readEvent)).toMatchObject([HELLO, DONE]);
  });
});

describe("useStream", () => {
  // It binds its CSRF header and its abort on unload to a page.
  beforeEach(() => void (document.head.innerHTML = '<meta name="csrf-token" content="t0ken">'));
  afterEach(() => void (document.head.innerHTML = ""));

  it("hands over our frames as one text, intact wherever chunks end, since events are ASCII", async () => {
    server.onChat = (call) => {
      call.open();
      for (const byte of `data: ${line(1, HELLO)}\n\ndata: ${line(2, DONE)}\n\n`) call.write(byte);
      call.end();
    };
    const onFinish = vi.fn();
    const { result } = renderHook(() => useStream(`${server.base}/chat`, { onFinish }));
    act(() => result.current.send({ prompt: "Hi" }));
    await waitFor(() => expect(onFinish).toHaveBeenCalledOnce());
    await waitFor(() => expect(result.current.isStreaming).toBe(false));
    const events = result.current.data
      .split("\n\n")
      .filter(Boolean)
      .map((part) => readEvent(part.slice("data: ".length)));
    expect(events).toMatchObject([HELLO, DONE]);
    expect(server.posts[0]!.headers["x-csrf-token"]).toBe("t0ken");
  });
});
