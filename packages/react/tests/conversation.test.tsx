import { act, renderHook, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { describe, expect, it } from "vitest";
import { keepHistory, recallHistory } from "../src/history.js";
import { AgentStream } from "../src/agentStream.js";
import { useConversation } from "../src/useConversation.js";
import { serveEachTest, server } from "./hook.js";
import { SESSION, START, UP } from "./server.js";
import { calls, results } from "./taskEvents.js";

serveEachTest();

/** A page with the hook; unmounting it is what a reload does. */
function open(conversation?: string, visitor?: string) {
  const { result, unmount } = renderHook(() => useConversation({ base: server.base, conversation, visitor }), {
    wrapper: StrictMode,
  });
  const reaches = (state: string) => waitFor(() => expect(result.current.state).toBe(state));
  const ask = async (prompt: string, state = "done") => {
    act(() => expect(result.current.send(prompt)).toBe(true));
    await reaches(state);
  };
  const prompts = () => [...result.current.past, result.current].map(({ prompt }) => prompt);
  return { now: () => result.current, ask, reaches, prompts, unmount };
}

describe("a conversation", () => {
  it("has each exchange in its place, also after a reload, and goes on", async () => {
    server.onChat = (call) => call.open().say(START, UP).text(`To ${call.body.prompt}`).done();
    const before = open();
    await before.ask("one");
    await before.ask("two");
    expect(before.prompts()).toEqual(["one", "two"]);
    before.unmount();

    const after = open();
    expect(after.prompts()).toEqual(["one", "two"]);
    expect(after.now()).toMatchObject({ state: "done", text: "To two", conversation: SESSION });
    await after.ask("three");
    expect(after.prompts()).toEqual(["one", "two", "three"]);
    expect(after.now().past.map(({ text }) => text)).toEqual(["To one", "To two"]);
    expect(server.posts.at(-1)!.body.conversation).toBe(SESSION);
  });

  it("keeps calls as what they are: one object among the parts and the calls", async () => {
    server.onChat = (call) =>
      call.open().say(START, UP, calls("t1", "Read", { file: "a" }), results("t1", "text")).text("Read.").done();
    const before = open();
    await before.ask("Read a");
    before.unmount();
    const { parts, toolCalls } = open().now();
    expect(parts).toEqual([toolCalls[0], "Read."]);
    expect(parts[0]).toBe(toolCalls[0]);
  });

  it("takes a run up that went on during the reload, behind what was said before", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Done.").done();
    const before = open();
    await before.ask("one");
    server.onChat = (call) => call.open().say(START, UP).text("Hal");
    await before.ask("two", "streaming");
    before.unmount();
    server.onResume = (call) => call.open(0).say(START, UP).text("Hal").text("f.").done();
    const after = open();
    expect(after.prompts()).toEqual(["one", "two"]);
    await after.reaches("done");
    expect(after.now().text).toBe("Half.");
    expect(server.posts).toHaveLength(2);
    after.unmount();
    expect(open().prompts()).toEqual(["one", "two"]);
  });

  it("can try a failure again after a reload, in its place", async () => {
    server.onChat = (call) =>
      call.open().say(START, { type: "error", code: "overloaded", message: "Busy.", retryable: true }).end();
    const before = open();
    await before.ask("one", "error");
    before.unmount();
    const after = open();
    expect(after.now()).toMatchObject({ state: "error", error: { code: "overloaded" } });
    server.onChat = (call) => call.open().say(START, UP).text("There.").done();
    act(() => expect(after.now().retry()).toBe(true));
    await after.reaches("done");
    expect(after.prompts()).toEqual(["one"]);
  });

  it("begins anew once it is cleared, also after a reload", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Done.").done();
    const page = open();
    await page.ask("one");
    await page.ask("two");
    act(() => page.now().clear());
    expect(page.now()).toMatchObject({ state: "idle", past: [] });
    expect(page.prompts()).toEqual([undefined]);
    expect(page.now().conversation).not.toBe(SESSION);
    page.unmount();
    expect(open().now()).toMatchObject({ state: "idle", past: [] });
  });

  it("is another one where the application names another", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Done.").done();
    const page = open();
    await page.ask("one");
    page.unmount();
    const other = open("0d000000-0000-4000-8000-000000000003");
    expect(other.prompts()).toEqual([undefined]);
    other.unmount();
    expect(open(SESSION).prompts()).toEqual(["one"]);
  });
});

describe("what is kept", () => {
  it("is shown to nobody else who signs in, in the same tab", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Done.").done();
    const ada = open(undefined, "ada");
    await ada.ask("one");
    server.onChat = (call) => call.open().say(START, UP).text("Half");
    await ada.ask("two", "streaming");
    ada.unmount();
    const bob = open(undefined, "bob");
    expect(bob.prompts()).toEqual([undefined]);
    expect(bob.now()).toMatchObject({ state: "idle" });
    bob.unmount();
    expect(open(undefined, "ada").prompts()).toEqual(["one", "two"]);
  });
});

describe("what is kept of a conversation", () => {
  const view = (text: string) => ({ ...new AgentStream({ base: "/x" }).view(), text });

  it("is its end, if it is long", () => {
    keepHistory("/long", ["a", "b", "c"].map((letter) => view(letter.repeat(400_000))));
    expect(recallHistory("/long").map(({ text }) => text[0])).toEqual(["b", "c"]);
  });

  it("is nothing where something else has been stored", () => {
    sessionStorage.setItem("agent-history:/odd", "{]");
    expect(recallHistory("/odd")).toEqual([]);
  });
});

describe("headers of one's own", () => {
  it("go with every request", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Half").cut();
    server.onResume = (call) => call.open(0).say(START, UP).text("Half");
    const headers = () => ({ "X-Own": "t0ken" });
    const stream = new AgentStream({ base: server.base, headers, timing: { backoffMs: 5 } });
    stream.send("Hi");
    await waitFor(() => expect(server.resumes).toHaveLength(1));
    await waitFor(() => expect(stream.view().state).toBe("streaming"));
    stream.steer("More");
    await waitFor(() => expect(server.steers).toHaveLength(1));
    stream.stop();
    await waitFor(() => expect(server.aborts).toHaveLength(1));
    const { posts, resumes, steers, aborts } = server;
    expect([posts, resumes, steers, aborts].map(([call]) => call!.headers["x-own"])).toEqual(Array(4).fill("t0ken"));
  });
});
