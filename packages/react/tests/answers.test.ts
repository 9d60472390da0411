import { waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { AgentStream } from "../src/agentStream.js";
import { mount, serveEachTest, server, statesOf } from "./hook.js";
import { frame, RUN, SESSION, START, UP } from "./server.js";

serveEachTest();

describe("an answer", () => {
  it("goes from idle over connecting and streaming to done", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Hel").text("lo!").done("Hello!");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(statesOf(chat.renders)).toEqual(["idle", "connecting", "streaming", "done"]);
    expect(chat.now()).toMatchObject({
      text: "Hello!",
      run: RUN,
      model: "claude-opus-5-5",
      simulated: true,
      stopReason: "end_turn",
      usage: { input_tokens: 10, output_tokens: 3 },
      costUsd: 0.00044,
      durationMs: 1016,
      reconnecting: false,
    });
    expect(chat.now().error).toBeUndefined();
  });

  it("is shown while it comes", async () => {
    server.onChat = (call) => call.open().say(START).text("Hel");
    const chat = mount();
    chat.send();
    await chat.says("Hel");
    expect(chat.now().state).toBe("streaming");
    server.posts[0]!.text("lo");
    await chat.says("Hello");
    server.posts[0]!.done("Hello");
    await chat.reaches("done");
  });

  it("survives any division into chunks, emoji and all", async () => {
    server.onChat = (call) => {
      call.open();
      const stream = new TextEncoder().encode(frame(1, { type: "delta", text: "Grüße 🦜 漢字", block: 1 }));
      for (const byte of stream) call.write(Uint8Array.of(byte));
      call.seq = 1;
      call.done();
    };
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Grüße 🦜 漢字");
  });

  it("is the final text where no deltas came", async () => {
    server.onChat = (call) => call.open().say(START).done("All at once.");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now()).toMatchObject({ text: "All at once.", paragraphs: ["All at once."] });
  });

  it("forgets discarded blocks, of text and of thinking", async () => {
    server.onChat = (call) =>
      call
        .open()
        .say({ type: "thinking", text: "Hm", block: 1 })
        .text("Half an ans", 2)
        .say({ type: "discard", blocks: [1, 2, 99], reason: "retry" })
        .say({ type: "thinking", text: "Aha", block: 3 })
        .text("The answer", 4)
        .done("The answer");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now()).toMatchObject({ text: "The answer", thinking: "Aha" });
  });

  it("brings tool calls with their results, and a new paragraph after them", async () => {
    server.onChat = (call) =>
      call
        .open()
        .text("Looking. ")
        .say({ type: "tool_call", tool_use_id: "t1", name: "Read", input: { path: "a" } })
        .say({ type: "tool_call", tool_use_id: "t2", name: "Bash", input: {}, parent_tool_use_id: "t1" })
        .say({ type: "tool_result", tool_use_id: "t1", status: "ok", content: "42" })
        .text("Found", 3)
        .text(" it.", 4)
        .done("Found it.");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().toolCalls).toEqual([
      { id: "t1", name: "Read", input: { path: "a" }, status: "ok", content: "42", durationMs: 0 },
      { id: "t2", name: "Bash", input: {}, status: "running", parentId: "t1" },
    ]);
    expect(chat.now()).toMatchObject({ text: "Looking. Found it.", paragraphs: ["Looking. ", "Found it."] });
  });

  it("collects notices, and shows a retry of the API until it bears fruit", async () => {
    server.onChat = (call) =>
      call
        .open()
        .say({ type: "notice", level: "warning", code: "slow", message: "This is slow." })
        .say({ type: "retry", attempt: 2, max_attempts: 10, delay_ms: 500, code: "overloaded" });
    const chat = mount();
    chat.send();
    await waitFor(() => expect(chat.now().retrying).toMatchObject({ attempt: 2, maxAttempts: 10, code: "overloaded" }));
    expect(chat.now().notices).toEqual([{ level: "warning", code: "slow", message: "This is slow." }]);
    server.posts[0]!.text("Yes");
    await chat.says("Yes");
    expect(chat.now().retrying).toBeUndefined();
  });

  it("is not disturbed by events of a newer worker, heartbeats and end markers", async () => {
    server.onChat = (call) =>
      call
        .open()
        .write(": beat\n\nevent: ping\ndata: {}\n\nevent: ping\ndata: beat\n\n")
        .say({ type: "x_hologram" }, { type: "ping", idle_ms: 10 })
        .text("Yes")
        .write("event: update\ndata: </stream>\n\n")
        .done("Yes");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Yes");
  });

  it("of 20,000 deltas takes no more for each than one of 1,000", async () => {
    const costOfEach = async (count: number) => {
      const words = Array.from({ length: count }, (_, index) => `word ${index} `);
      server.onChat = (call) => {
        call.open().say(START);
        for (let at = 0; at < words.length; at += 100) {
          call.write(
            words
              .slice(at, at + 100)
              .map((text) => frame(++call.seq, { type: "delta", text, block: 1 }))
              .join(""),
          );
        }
        call.done();
      };
      const chat = mount();
      const before = process.cpuUsage();
      chat.send();
      await waitFor(() => expect(chat.now().state).toBe("done"));
      expect(chat.now().text).toBe(words.join(""));
      const { user, system } = process.cpuUsage(before);
      chat.unmount();
      return (user + system) / count;
    };
    await costOfEach(1_000); // until the code is compiled
    const [short, long] = [await costOfEach(1_000), await costOfEach(20_000)];
    expect(long).toBeLessThan(4 * short);
  });

  it("is shown at most once for each repaint, however fast it comes", async () => {
    server.onChat = (call) => {
      for (let index = call.open().seq; index < 1000; index++) call.text("x");
      call.done();
    };
    const stream = new AgentStream({ base: server.base });
    let repaints = 0;
    let shown = 0;
    const count = () => requestAnimationFrame(() => (repaints++, count()));
    const counting = count();
    stream.subscribe(() => shown++);
    stream.send("Hi");
    await waitFor(() => expect(stream.view().state).toBe("done"));
    cancelAnimationFrame(counting);
    expect(stream.view().text).toBe("x".repeat(1000));
    const ownMoments = ["connecting", "streaming", "done"].length;
    expect(shown).toBeLessThanOrEqual(repaints + ownMoments + 1);
  });

  it("appears in a hidden tab too, where nothing is repainted", async () => {
    vi.stubGlobal("requestAnimationFrame", () => 0);
    server.onChat = (call) => call.open().text("Psst");
    const chat = mount();
    chat.send();
    await chat.says("Psst");
    vi.unstubAllGlobals();
  });
});

describe("a request", () => {
  it("carries the prompt, a conversation and the page's CSRF token", async () => {
    document.head.innerHTML = '<meta name="csrf-token" content="t0ken">';
    server.onChat = (call) => call.open().done();
    const chat = mount();
    chat.send("How are you?");
    await chat.reaches("done");
    document.head.innerHTML = "";
    const [post] = server.posts;
    expect(post!.body).toEqual({ prompt: "How are you?", conversation: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(post!.headers).toMatchObject({
      accept: "text/event-stream",
      "content-type": "application/json",
      "x-csrf-token": "t0ken",
    });
  });

  it("carries the token of Laravel's cookie where the page names none, to the page's own origin alone", async () => {
    document.cookie = "XSRF-TOKEN=t0ken%3D%3D";
    server.onChat = (call) => call.open().done();
    const chat = mount();
    chat.send("to another origin");
    await chat.reaches("done");
    vi.stubGlobal("location", new URL(server.base));
    chat.send("to its own");
    await waitFor(() => expect(chat.now()).toMatchObject({ state: "done", prompt: "to its own" }));
    vi.unstubAllGlobals();
    document.cookie = "XSRF-TOKEN=; max-age=0";
    expect(server.posts.map(({ headers }) => headers["x-xsrf-token"])).toEqual([undefined, "t0ken=="]);
  });

  it("goes on with the session that the worker named", async () => {
    server.onChat = (call) => call.open().say(UP).done();
    const chat = mount({ conversation: "11111111-2222-4333-8444-555555555555" });
    chat.send("one");
    await chat.reaches("done");
    chat.send("two");
    await chat.reaches("done");
    const sent = server.posts.map((post) => post.body.conversation);
    expect(sent).toEqual(["11111111-2222-4333-8444-555555555555", SESSION]);
    expect(chat.now().conversation).toBe(SESSION);
  });

  it("goes on from before a run that could not be saved", async () => {
    const lost = { type: "notice" as const, level: "warning" as const, code: "session_not_saved", message: "Not saved." };
    const end = { type: "done" as const, stop_reason: "end_turn" as const, usage: {}, duration_ms: 1, turns: 1, text: "" };
    const unsaved = { ...UP, session_id: "99999999-2222-4333-8444-555555555555" };
    const chat = mount();
    const made = chat.now().conversation;
    for (const answer of ["unsaved", "saved", "unsaved", "last"]) {
      server.onChat = (call) => {
        if (answer === "unsaved") call.open().say(unsaved, lost, end).end();
        else call.open().say(UP).done();
      };
      chat.send(answer);
      await waitFor(() => expect(chat.now()).toMatchObject({ state: "done", prompt: answer }));
    }
    expect(server.posts.map((post) => post.body.conversation)).toEqual([made, made, SESSION, SESSION]);
  });

  it("has a valid UUID also where crypto.randomUUID is missing", async () => {
    vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const chat = mount();
    vi.unstubAllGlobals();
    expect(chat.now().conversation).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("is not made for an empty prompt or while an answer comes", async () => {
    const chat = mount();
    expect(chat.now().send(" \n")).toBe(false);
    chat.send("one");
    expect(chat.now().send("two")).toBe(false);
    expect(chat.now().retry()).toBe(false);
    await chat.reaches("streaming");
    expect(chat.now().send("three")).toBe(false);
    expect(server.posts).toHaveLength(1);
  });

  it("starts with a clean slate", async () => {
    server.onChat = (call) => call.open().text(call.body.prompt!).done();
    const chat = mount();
    chat.send("one");
    await chat.reaches("done");
    chat.send("two");
    expect(chat.now()).toMatchObject({ state: "connecting", text: "", prompt: "two" });
    expect(chat.now().usage).toBeUndefined();
    await chat.says("two");
  });
});

describe("stopping", () => {
  it("shows at once, keeps what was said, and the server sees the connection close", async () => {
    server.onChat = (call) => call.open().text("Half an");
    const chat = mount();
    chat.send();
    await chat.says("Half an");
    chat.stop();
    expect(chat.now()).toMatchObject({ state: "stopped", stoppedBy: "user", text: "Half an" });
    await server.posts[0]!.gone;
    expect(server.resumes).toHaveLength(0);
  });

  it("works before the server has answered", async () => {
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    server.onChat = () => arrived();
    const chat = mount();
    chat.send();
    await arrival;
    chat.stop();
    expect(chat.now().state).toBe("stopped");
    await server.posts[0]!.gone;
  });

  it("leaves the way free for the next prompt, which the stopped run can't disturb", async () => {
    server.onChat = (call) => call.open().text(call.body.prompt!);
    const chat = mount();
    chat.send("one");
    await chat.says("one");
    chat.stop();
    chat.send("two");
    server.posts[0]!.text("late").done("late");
    await chat.says("two");
    server.posts[1]!.done("two");
    await chat.reaches("done");
    expect(chat.now().text).toBe("two");
  });

  it("by the server is told apart", async () => {
    server.onChat = (call) => call.open().text("Half").say({ type: "aborted", reason: "signal", cost_usd: 0.1 }).end();
    const chat = mount();
    chat.send();
    await chat.reaches("stopped");
    expect(chat.now()).toMatchObject({ stoppedBy: "signal", text: "Half", costUsd: 0.1 });
  });

  it("happens when the component goes away", async () => {
    server.onChat = (call) => call.open().text("Half");
    const chat = mount();
    chat.send();
    await chat.says("Half");
    chat.unmount();
    await server.posts[0]!.gone;
  });

  it("is not what a finished run gets: its connection stays until the server closes it", async () => {
    let gone = false;
    server.onChat = (call) => {
      void call.gone.then(() => (gone = true));
      const ending = { stop_reason: "end_turn", session_id: SESSION, usage: {}, duration_ms: 1, turns: 1 };
      call.open().say({ type: "done", text: "", ...ending });
    };
    const chat = mount();
    chat.send("one");
    await chat.reaches("done");
    chat.send("two");
    await chat.reaches("done");
    expect(gone).toBe(false);
    server.posts.forEach((post) => post.end());
  });
});
