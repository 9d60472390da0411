// @vitest-environment node
import { describe, expect, it } from "vitest";
import { abortRun, followRun, printed, streamAgent } from "../vanilla/agent-stream.js";
import { serveEachTest, server } from "../../../packages/react/tests/hook.js";
import { EVENT_TYPES } from "@agent-workers/react";
import { type Body, frame, RUN, START } from "../../../packages/react/tests/server.js";

serveEachTest();

function ask(options: { signal?: AbortSignal; onText?: (text: string) => void } = {}) {
  const said: string[] = [];
  const onEvent = (event: { type: string; text?: string }) => {
    if (event.type !== "delta") return;
    said.push(event.text!);
    options.onText?.(event.text!);
  };
  const end = streamAgent({ base: server.base, prompt: "Hi", csrfToken: "t0ken", signal: options.signal, onEvent });
  return { said, end };
}

describe("streamAgent", () => {
  it("streams an answer, byte by byte and with CRLF", async () => {
    server.onChat = (call) => {
      const raw = frame(1, { type: "delta", text: "Grüße 🦜", block: 1 }).replaceAll("\n", "\r\n");
      call.open().write(": beat\r\n\r\nevent: ping\r\ndata: beat\r\n\r\n");
      for (const byte of new TextEncoder().encode(raw)) call.write(Uint8Array.of(byte));
      call.seq = 1;
      call.done("Grüße 🦜");
    };
    const { said, end } = ask();
    expect(await end).toMatchObject({ type: "done", text: "Grüße 🦜" });
    expect(said).toEqual(["Grüße 🦜"]);
    expect(server.posts[0]!.headers["x-csrf-token"]).toBe("t0ken");
  });

  it("goes on through EventSource after a lost connection, without a second POST", async () => {
    server.onChat = (call) => call.open().say(START).text("Hel").cut();
    server.onResume = (call) => call.open(0).say(START).text("Hel").text("lo").done("Hello");
    const { said, end } = ask();
    expect(await end).toMatchObject({ type: "done" });
    expect(said).toEqual(["Hel", "lo"]);
    expect(server.posts).toHaveLength(1);
  });

  it("resolves with an error event, told apart from EventSource's own", async () => {
    server.onChat = (call) => call.open().say(START).cut();
    server.onResume = (call) =>
      call.open(1).say({ type: "error", code: "overloaded", message: "Busy.", retryable: true }).end();
    expect(await ask().end).toMatchObject({ type: "error", code: "overloaded" });
  });

  it("fails as a lost worker when nothing more is to be had", async () => {
    server.onChat = (call) => call.open().text("Half").end();
    server.onResume = (call) => call.refuse(204);
    await expect(ask().end).rejects.toMatchObject({ code: "worker_lost" });
    expect(server.posts).toHaveLength(1);
  });

  it("fails with the server's words when the request is refused", async () => {
    server.onChat = (call) => call.refuse(422, { message: "Too long." });
    await expect(ask().end).rejects.toMatchObject({ code: "http_422", message: "Too long." });
  });

  it("stops when its signal aborts, and the server sees it", async () => {
    server.onChat = (call) => call.open().text("Half");
    const abort = new AbortController();
    const { end } = ask({ signal: abort.signal, onText: () => abort.abort() });
    await expect(end).rejects.toMatchObject({ name: "AbortError" });
    await server.posts[0]!.gone;
    expect(server.resumes).toHaveLength(0);
  });
});

describe("followRun", () => {
  it("shows a run that was started earlier, and reconnects with Last-Event-ID", async () => {
    server.onResume = (call) => {
      if (server.resumes.length === 1) call.open().write("retry: 10\n\n").text("Hel").cut();
      else call.open(1).text("lo").done("Hello");
    };
    const said: string[] = [];
    const end = await followRun({ base: server.base, run: RUN, onEvent: (event) => said.push(event.text) });
    expect(end.type).toBe("done");
    expect(said).toEqual(["Hel", "lo", "Hello"]);
    expect(server.resumes[1]!.headers["last-event-id"]).toBe(`${RUN}:1`);
  });

  it("passes a later attempt of the run on, and nothing of a lost one twice", async () => {
    const again = { ...START, attempt: 2 };
    server.onChat = (call) => call.open().say(START).text("lost").again(2).say(again).text("Hel").cut();
    server.onResume = (call) => call.open().say(START).text("lost").text("more").again(2).say(again).text("Hel").text("lo").done();
    const said: string[] = [];
    const onEvent = ({ type, text }: { type: string; text?: string }) => said.push(text ?? type);
    const end = await streamAgent({ base: server.base, prompt: "Hi", onEvent });
    expect(end.type).toBe("done");
    expect(said).toEqual(["start", "lost", "start", "Hel", "lo", ""]);
  });

  it("can be stopped", async () => {
    server.onResume = (call) => call.open().text("Half");
    const abort = new AbortController();
    const onEvent = () => abort.abort();
    await expect(followRun({ base: server.base, run: RUN, signal: abort.signal, onEvent })).rejects.toThrow();
    await server.resumes[0]!.gone;
  });
});

describe("the page without a build", () => {
  it("hears what tools print, and every other event of the contract, also when it follows", async () => {
    server.onResume = (call) => {
      call.open();
      for (const type of EVENT_TYPES) if (!["done", "error", "aborted"].includes(type)) call.say({ type } as Body);
      call.done();
    };
    const heard: string[] = [];
    await followRun({ base: server.base, run: RUN, onEvent: ({ type }) => heard.push(type) });
    expect(heard.sort()).toEqual(EVENT_TYPES.filter((type) => type !== "error" && type !== "aborted").sort());
  });

  it.each([
    ["10%\r50%\r\n\x1b[31mred\x1b[0m\x1b]0;title\x07\n", "50%\nred\n"],
    ["one\r\ntwo\r", "one\ntwo"],
    ["<b>\x00\x07bold</b>\tend", "<b>bold</b>\tend"],
  ])("shows %j plainly", (text, shown) => expect(printed(text)).toBe(shown));

  it("shows the end of much", () => expect(printed("y\n".repeat(500_000)).length).toBeLessThanOrEqual(20_000));
});

describe("abortRun", () => {
  const stop = () => abortRun({ base: server.base, run: RUN, csrfToken: "t0ken" });

  it("asks the server to end the run, as the page", async () => {
    expect(await stop()).toBe(true);
    expect(server.aborts[0]!.headers["x-csrf-token"]).toBe("t0ken");
  });

  it("has nothing to ask for where the run is over", async () => {
    server.onAbort = (call) => call.refuse(410);
    expect(await stop()).toBe(true);
  });

  it("says where the server could not be told", async () => {
    server.onAbort = (call) => call.refuse(419);
    expect(await stop()).toBe(false);
  });
});
