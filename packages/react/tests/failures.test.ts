import { waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { forward } from "./clock.js";
import { mount, serveEachTest, server, statesOf } from "./hook.js";
import { type Call, frame, RUN, START } from "./server.js";

serveEachTest();

describe("a lost connection", () => {
  it("is resumed after the last event, without a second POST", async () => {
    server.onChat = (call) => call.open().say(START).text("Hel").cut();
    server.onResume = (call) => call.open(2).text("lo").done("Hello");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now()).toMatchObject({ text: "Hello", reconnecting: false });
    expect(statesOf(chat.renders)).toEqual(["idle", "connecting", "streaming", "reconnecting", "streaming", "done"]);
    expect(server.resumes.map((call) => call.headers["last-event-id"])).toEqual([`${RUN}:2`]);
    expect(server.posts).toHaveLength(1);
  });

  it("is resumed from the start when no event had come", async () => {
    server.onChat = (call) => call.open().cut();
    server.onResume = (call) => call.open().say(START).text("Hi").done("Hi");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(server.resumes[0]!.headers["last-event-id"]).toBe(`${RUN}:0`);
    expect(chat.now().text).toBe("Hi");
  });

  it("does not double the text when the server repeats itself", async () => {
    server.onChat = (call) => call.open().say(START).text("Hel").cut();
    server.onResume = (call) => call.open(0).say(START).text("Hel").text("lo").done("Hello");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Hello");
  });

  it("in the middle of a frame loses nothing", async () => {
    const half = frame(2, { type: "delta", text: "lo", block: 1 }).slice(0, 60);
    server.onChat = (call) => call.open().text("Hel").write(half).cut();
    server.onResume = (call) => call.open(1).text("lo").done("Hello");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Hello");
    expect(server.resumes[0]!.headers["last-event-id"]).toBe(`${RUN}:1`);
  });

  it("may happen again and again as long as something new comes each time", async () => {
    const word = (call: Call) => call.text("w").cut();
    server.onChat = (call) => word(call.open());
    server.onResume = (call) => {
      const seen = server.resumes.length;
      if (seen < 6) word(call.open(seen));
      else call.open(seen).done();
    };
    const chat = mount({ timing: { resumes: 1 } });
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("wwwwww");
  });

  it("ends as an error when it can't be resumed, and keeps what was said", async () => {
    server.onChat = (call) => call.open().text("Half").cut();
    server.onResume = (call) => call.open(1).cut();
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now()).toMatchObject({
      text: "Half",
      error: { code: "network", retryable: true },
      reconnecting: false,
    });
    expect(server.resumes).toHaveLength(3);
    expect(server.posts).toHaveLength(1);
  });

  it("is resumed through a server that is busy for a moment", async () => {
    server.onChat = (call) => call.open().text("Hel").cut();
    server.onResume = (call) => (server.resumes.length < 3 ? call.refuse(503) : call.open(1).text("lo").done());
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Hello");
  });

  it("is noticed by silence", async () => {
    server.onChat = (call) => call.open().text("Hel");
    server.onResume = (call) => call.open(1).text("lo").done();
    const chat = mount({ timing: { silenceMs: 90 } });
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Hello");
    await server.posts[0]!.gone;
  });

  it("is not suspected while heartbeats come", async () => {
    let beats = 0;
    server.onChat = (call) => {
      call.open().text("Wait");
      const timer = setInterval(() => {
        beats += 1;
        if (beats < 24) return call.write(beats % 2 ? ": beat\n\n" : "event: ping\ndata: {}\n\n");
        clearInterval(timer);
        return call.done();
      }, 30);
    };
    const chat = mount({ timing: { silenceMs: 500 } });
    chat.send();
    await chat.reaches("done");
    expect(server.resumes).toHaveLength(0);
  });

  it("is not suspected while the application runs a tool", async () => {
    server.onChat = (call) => {
      const ts = "2026-11-20T23:19:00.000Z";
      const tool = { call_id: "c1", name: "find_partner", input: {}, expires_at: "2026-11-20T23:19:20.000Z", ts };
      call.open().say(START).say({ type: "app_tool_call", ...tool });
      setTimeout(() => call.text("Found.").done(), 400); // the test's server answers late: nothing else can show it
    };
    const chat = mount({ timing: { silenceMs: 90 } });
    chat.send();
    await chat.reaches("done");
    expect(server.resumes).toHaveLength(0);
  });

  it("is not suspected while the application runs a person's tool", async () => {
    server.onChat = (call) => {
      call.open().say({ ...START, worker: "agent-tool" }).say({ type: "tool_call", tool_use_id: "t1", name: "find", input: {} });
      setTimeout(() => call.text("Found.").done(), 400); // the test's server answers late: nothing else can show it
    };
    const chat = mount({ timing: { silenceMs: 90, personsToolMs: 20_000 } });
    chat.send();
    await chat.reaches("done");
    expect(server.resumes).toHaveLength(0);
  });

  it("from before the server's answer is a network error: which run to ask for is unknown", async () => {
    server.onChat = (call) => call.cut();
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error).toMatchObject({ code: "network", retryable: true });
    expect(server.posts).toHaveLength(1);
  });

  it("can be stopped while it is being resumed", async () => {
    server.onChat = (call) => call.open().text("Half").cut();
    const chat = mount({ timing: { backoffMs: 60_000 } });
    chat.send();
    await waitFor(() => expect(chat.now().reconnecting).toBe(true));
    chat.stop();
    expect(chat.now()).toMatchObject({ state: "stopped", reconnecting: false, text: "Half" });
    expect(server.resumes).toHaveLength(0);
  });
});

describe("a stream without a terminal event", () => {
  for (const [answer, status] of [
    ["the server knows nothing of the run", 404],
    ["nothing is left of the run", 204],
  ] as const) {
    it(`is a lost worker when ${answer}`, async () => {
      server.onChat = (call) => call.open().text("Half").end();
      server.onResume = (call) => call.refuse(status);
      const chat = mount();
      chat.send();
      await chat.reaches("error");
      expect(chat.now()).toMatchObject({ text: "Half", error: { code: "worker_lost", retryable: true } });
      expect(server.resumes).toHaveLength(1);
    });
  }

  it("is completed by what the server has kept", async () => {
    server.onChat = (call) => call.open().text("Hel").end();
    server.onResume = (call) => call.open(1).text("lo").done();
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Hello");
  });

  it("is a lost worker when resuming brings no end either", async () => {
    server.onChat = (call) => call.open().end();
    server.onResume = (call) => call.open().end();
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error?.code).toBe("worker_lost");
    expect(server.resumes).toHaveLength(3);
  });
});

describe("an error event", () => {
  const overloaded = { type: "error", code: "overloaded", message: "The model is busy.", retryable: true } as const;

  it("is shown with all that it says, below what had been said", async () => {
    server.onChat = (call) =>
      call
        .open()
        .text("Half")
        .say({ ...overloaded, http_status: 529, cost_usd: 0.2 })
        .end();
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now()).toMatchObject({
      text: "Half",
      costUsd: 0.2,
      error: { code: "overloaded", message: "The model is busy.", retryable: true, httpStatus: 529 },
      retryInMs: 0,
    });
    expect(server.resumes).toHaveLength(0);
  });

  it("is overcome by retrying, with the same prompt and conversation", async () => {
    server.onChat = (call) =>
      server.posts.length === 1
        ? call.open().text("Half").say(overloaded).end()
        : call.open().text("Whole").done("Whole");
    const chat = mount();
    chat.send("Again?");
    await chat.reaches("error");
    chat.retry();
    expect(chat.now()).toMatchObject({ state: "connecting", text: "" });
    expect(chat.now().error).toBeUndefined();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Whole");
    expect(server.posts[1]!.body).toEqual(server.posts[0]!.body);
  });

  it("may ask to wait: the time left is counted down, and retrying does nothing before", async () => {
    server.onChat = (call) =>
      call
        .open()
        .say({ ...overloaded, retry_after_ms: 60_000 })
        .end();
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().retryInMs).toBeGreaterThan(0);
    expect(chat.now().retryInMs).toBeLessThanOrEqual(60_000);
    expect(chat.now().retry()).toBe(false);
    forward(60_000);
    await waitFor(() => expect(chat.now().retryInMs).toBe(0));
    expect(chat.retry()).toBe(true);
    await chat.reaches("error");
    expect(server.posts).toHaveLength(2);
  });
});

describe("a refused request", () => {
  const cases = [
    [401, { message: "Unauthenticated." }, { code: "unauthenticated", retryable: false }],
    [403, { message: "Not yours." }, { code: "forbidden", message: "Not yours.", retryable: false }],
    [419, { message: "CSRF token mismatch." }, { code: "page_expired", message: expect.stringContaining("Reload") }],
    [
      422,
      { message: "The prompt is too long.", errors: { prompt: ["Too long."] } },
      {
        code: "invalid_request",
        message: "The prompt is too long.",
        retryable: false,
        fields: { prompt: ["Too long."] },
      },
    ],
    [500, undefined, { code: "server_error", message: expect.stringContaining("500"), retryable: true }],
    [503, { message: "" }, { code: "server_error", message: expect.stringContaining("503"), retryable: true }],
    [413, undefined, { code: "too_large", message: expect.stringContaining("smaller files"), retryable: false }],
    [414, undefined, { code: "http_error", message: expect.stringContaining("414"), retryable: false }],
  ] as const;

  for (const [status, json, error] of cases) {
    it(`with HTTP ${status} is explained and not sent again`, async () => {
      server.onChat = (call) => call.refuse(status, json);
      const chat = mount();
      chat.send();
      await chat.reaches("error");
      expect(chat.now().error).toMatchObject({ httpStatus: status, ...error });
      expect(server.posts).toHaveLength(1);
      expect(server.resumes).toHaveLength(0);
    });
  }

  it("with HTTP 429 says how long to wait, in seconds or as a date", async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    server.onChat = (call) => call.refuse(429, {}, { "Retry-After": server.posts.length === 1 ? "0" : inAMinute });
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now()).toMatchObject({ error: { code: "rate_limited", retryAfterMs: 0 }, retryInMs: 0 });
    chat.retry();
    await chat.reaches("error");
    expect(chat.now().retryInMs).toBeGreaterThan(50_000);
    expect(chat.now().retryInMs).toBeLessThanOrEqual(60_000);
  });

  it("by something in between has no details but those that say what is wrong, and where", async () => {
    const known = { pointer: "/prompt", message: "is too long." };
    server.onChat = (call) => call.refuse(400, { details: ["quota", null, { reason: "quota" }, known] });
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error!.details).toEqual([known]);
  });

  it("by a page instead of a stream, such as a login form, is no answer", async () => {
    server.onChat = (call) => call.refuse(200);
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error).toMatchObject({ code: "bad_response", retryable: false });
  });

  it("by nobody is a network error, and the prompt is not sent twice", async () => {
    const base = server.base;
    await server.stop();
    const chat = mount({ base });
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error).toMatchObject({ code: "network", retryable: true });
  });
});

describe("a stream that can't be understood", () => {
  it("of another version is refused", async () => {
    server.onChat = (call) => call.open().write('data: {"v":2,"seq":1,"run":"r","type":"delta"}\n\n');
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error?.code).toBe("unsupported_version");
    await server.posts[0]!.gone;
  });

  it("with an endless frame is refused", async () => {
    server.onChat = (call) => call.open().write(`data: ${"x".repeat(2 ** 21)}`);
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error?.code).toBe("bad_response");
    await server.posts[0]!.gone;
  });
});
