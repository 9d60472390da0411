import { act, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { attemptIn, idOf } from "../src/place.js";
import { mount, serveEachTest, server } from "./hook.js";
import { type Body, frame, RUN, SESSION, START, UP } from "./server.js";

serveEachTest();

const AGAIN = { ...START, attempt: 2 };
const call = (id: string, command: string): Body => ({ type: "tool_call", tool_use_id: id, name: "Bash", input: { command } });
const OPEN: Body = {
  type: "permission_request",
  permission_id: "p-1",
  tool_use_id: "t-1",
  name: "Bash",
  input: {},
  expires_at: "2036-11-20T23:19:00.004Z",
};

describe("a run that begins again", () => {
  it("keeps nothing of the attempt that was lost", async () => {
    server.onChat = (post) =>
      post.open().say(START, UP, { type: "thinking", text: "Hm", block: 9 }).text("Half an ans").say(call("t-1", "a"), OPEN);
    const chat = mount();
    chat.send();
    await waitFor(() => expect(chat.now().permissions).toHaveLength(1));
    server.posts[0]!.again(2).say(AGAIN, { ...UP, session_id: "other", resumed: true });
    await waitFor(() => expect(chat.now().attempt).toBe(2));
    expect(chat.now()).toMatchObject({ state: "streaming", prompt: "Hi", text: "", thinking: "", toolCalls: [], permissions: [] });
    server.posts[0]!.say(call("t-1", "b")).text("The answer").done("The answer");
    await chat.reaches("done");
    expect(chat.now()).toMatchObject({ text: "The answer", thinking: "", sessionId: SESSION, costUsd: 0.00044 });
    expect(chat.now().toolCalls.map(({ input }) => input)).toEqual([{ command: "b" }]);
  });

  it("can ask the same again, and be answered again", async () => {
    server.onChat = (post) => post.open().say(START, call("t-1", "a"), OPEN);
    const chat = mount();
    chat.send();
    await waitFor(() => expect(chat.now().permissions).toHaveLength(1));
    act(() => expect(chat.now().decide("p-1", "allow")).toBe(true));
    await waitFor(() => expect(chat.now().replies["p-1"]?.state).toBe("sent"));
    server.posts[0]!.again(2).say(AGAIN, call("t-1", "a"), OPEN);
    await waitFor(() => expect(chat.now()).toMatchObject({ attempt: 2, replies: {}, permissions: [{ id: "p-1" }] }));
    act(() => expect(chat.now().decide("p-1", "deny")).toBe(true));
    await waitFor(() => expect(server.decisions).toHaveLength(2));
    server.posts[0]!.done();
    await chat.reaches("done");
  });

  it("has not heard what was said to the lost one, which can be said again", async () => {
    server.onChat = (post) => post.open().say(START).text("x");
    const chat = mount();
    chat.send();
    await chat.says("x");
    act(() => void chat.now().steer("Be brief."));
    await waitFor(() => expect(chat.now().steers[0]?.state).toBe("waiting"));
    server.posts[0]!.again(2).say(AGAIN).text("y");
    await waitFor(() => expect(chat.now()).toMatchObject({ text: "y", steers: [{ text: "Be brief.", state: "late" }] }));
    server.posts[0]!.done();
    await chat.reaches("done");
  });

  it("is followed after a lost connection from its place in the new attempt", async () => {
    server.onChat = (post) => post.open().say(START).text("lost").again(2).say(AGAIN).text("Hel").cut();
    server.onResume = (get) => get.open(2, 2).text("lo").done("Hello");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(server.resumes.map(({ headers }) => headers["last-event-id"])).toEqual([`${RUN}:2-2`]);
    expect(chat.now().text).toBe("Hello");
  });

  it("may do so while the page is away", async () => {
    server.onChat = (post) => post.open().say(START, UP).text("a").text("b").text("c").cut();
    server.onResume = (get) => get.open(0, 2).say(AGAIN).text("The answer").done("The answer");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now()).toMatchObject({ text: "The answer", attempt: 2 });
  });

  it("is not undone by a server that repeats the lost attempt", async () => {
    server.onChat = (post) => post.open().say(START).text("lost").again(2).say(AGAIN).text("Hel").cut();
    server.onResume = (get) => get.open().say(START).text("lost").text("more").again(2).say(AGAIN).text("Hel").text("lo").done("Hello");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now()).toMatchObject({ text: "Hello", attempt: 2 });
  });

  it("ignores what the lost worker still says", async () => {
    const late = frame(3, { type: "delta", text: "zombie", block: 1 });
    server.onChat = (post) => post.open().say(START).text("lost").again(2).say(AGAIN).write(late).text("Hello").write(late).done("Hello");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Hello");
  });

  it("is told the end of an attempt that never began", async () => {
    const error: Body = { type: "error", code: "worker_lost", message: "Lost.", retryable: true };
    server.onChat = (post) => post.open().say(START).text("lost").text("more").write(frame(1, error)).end();
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error).toMatchObject({ code: "worker_lost", message: "Lost." });
    expect(server.resumes).toHaveLength(0);
  });

  it("is understood from a server whose ids name no attempt", async () => {
    const bare = (seq: number, body: Body) => frame(seq, body).replace(/^id: .*\n/, "");
    server.onChat = (post) => {
      const parts = [bare(1, START), bare(2, { type: "delta", text: "lost", block: 1 }), bare(1, AGAIN)];
      post.open().write(parts.join("") + bare(2, { type: "delta", text: "Hi", block: 1 }));
      post.seq = 2;
      post.done("Hi");
    };
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    expect(chat.now().text).toBe("Hi");
  });
});

describe("the id of an event", () => {
  it("names the attempt from the second on", () => {
    expect([idOf("r:1", { attempt: 1, seq: 7 }), idOf("r:1", { attempt: 12, seq: 7 })]).toEqual(["r:1:7", "r:1:12-7"]);
    expect(["r:1:7", "r:1:12-7", "a-b:7", "", "7"].map(attemptIn)).toEqual([undefined, 12, undefined, undefined, undefined]);
  });
});
