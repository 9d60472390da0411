import { act, renderHook, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { beforeEach, describe, expect, it } from "vitest";
import { type RecordedMessage, type RecordedRun, viewOf } from "../src/recorded.js";
import { useConversations } from "../src/useConversations.js";
import { serveEachTest, server } from "./hook.js";
import { type Call, RUN, START, UP } from "./server.js";

const AT = "2026-11-20T23:19:00.004Z";
const ONE = "159f0000-0000-4000-8000-00000000000a";
const TWO = "159f0000-0000-4000-8000-00000000000b";

const message = (seq: number, kind: string, content: unknown, more: Partial<RecordedMessage> = {}): RecordedMessage => ({
  seq,
  kind,
  content,
  at: AT,
  ...more,
});
const run = (id: string, messages: RecordedMessage[], more: Partial<RecordedRun> = {}): RecordedRun => ({
  id,
  status: "done",
  code: null,
  error: null,
  stop_reason: "end_turn",
  ended_at: AT,
  messages,
  ...more,
});

/** What the server has recorded, by the ids of conversations. */
let kept: Record<string, { title: string; runs: RecordedRun[] }>;

function answerRecorded(call: Call): void {
  const id = call.path.split("/")[3];
  const summary = (of: string) => ({ id: of, session: of, title: kept[of]!.title, updated_at: AT });
  if (id === undefined) return call.refuse(200, { conversations: Object.keys(kept).map(summary), next: null });
  if (!kept[id]) return call.refuse(404, { message: "There is no such conversation." });
  if (call.method === "DELETE") {
    delete kept[id];
    return call.accept();
  }
  if (call.method === "PATCH") kept[id].title = call.body.title!;
  call.refuse(200, { conversation: summary(id), runs: kept[id].runs, tools_changed: null, next: null });
}

serveEachTest();
beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  kept = {
    [ONE]: { title: "Find Ada", runs: [run("r1", [message(0, "question", "Find Ada"), message(4, "text", "In Rome.")])] },
    [TWO]: { title: "Other", runs: [run("r2", [message(0, "question", "Other"), message(3, "text", "Fine.")])] },
  };
  server.onRecorded = answerRecorded;
  server.onChat = (call) => call.open().say(START, { ...UP, session_id: call.body.conversation! }).text("So.").done();
});

function open() {
  const options = { base: server.base, recorded: `${server.base}/conversations` };
  const { result, unmount } = renderHook(() => useConversations(options), { wrapper: StrictMode });
  const now = () => result.current;
  const until = (check: () => void) => waitFor(check);
  const titles = () => now().list.map(({ title }) => title);
  const said = () => [...now().chat.past, now().chat].map(({ prompt, text }) => [prompt, text]);
  return { now, until, titles, said, unmount };
}

describe("recorded conversations", () => {
  it("are listed by the server and read when somebody looks at them", async () => {
    const page = open();
    await page.until(() => expect(page.titles().sort()).toEqual(["Find Ada", "Other"]));
    expect(server.recorded.every(({ path }) => path === "/agent/conversations")).toBe(true);
    act(() => page.now().open(ONE));
    await page.until(() => expect(page.said()).toEqual([["Find Ada", "In Rome."]]));
    expect(page.now().chat.state).toBe("done");
    expect(localStorage.length).toBe(0);
  });

  it("go on where they ended, on another device, too", async () => {
    const page = open();
    await page.until(() => expect(page.titles()).toHaveLength(2));
    act(() => page.now().open(ONE));
    await page.until(() => expect(page.said()).toHaveLength(1));
    act(() => page.now().chat.send("And now?"));
    await page.until(() => expect(page.said()).toEqual([["Find Ada", "In Rome."], ["And now?", "So."]]));
    expect(server.posts[0]!.body.conversation).toBe(ONE);
  });

  it("begin under the id that the server records", async () => {
    const page = open();
    await page.until(() => expect(page.titles()).toHaveLength(2));
    act(() => page.now().chat.send("New"));
    await page.until(() => expect(page.now().chat.state).toBe("done"));
    expect(server.posts[0]!.body.conversation).toBe(page.now().current);
  });

  it("show what was said before a run that goes on after a reload", async () => {
    const page = open();
    await page.until(() => expect(page.titles()).toHaveLength(2));
    act(() => page.now().open(ONE));
    await page.until(() => expect(page.said()).toHaveLength(1));
    server.onChat = (call) => void call.open().say(START, { ...UP, session_id: ONE }).text("It ");
    act(() => page.now().chat.send("And now?"));
    await page.until(() => expect(page.now().chat.text).toBe("It "));
    page.unmount();
    kept[ONE]!.runs.push(run(RUN, [message(0, "question", "And now?")], { status: "running", ended_at: null }));
    server.onResume = (call) => call.open().say(START, { ...UP, session_id: ONE }).text("It is.").done();
    const after = open();
    await after.until(() => expect(after.said()).toEqual([["Find Ada", "In Rome."], ["And now?", "It is."]]));
  });

  it("are renamed and deleted at the server", async () => {
    const page = open();
    await page.until(() => expect(page.titles()).toHaveLength(2));
    act(() => page.now().rename(ONE, "Ada"));
    await page.until(() => expect(kept[ONE]!.title).toBe("Ada"));
    expect(page.titles()).toContain("Ada");
    act(() => page.now().remove(ONE));
    await page.until(() => expect(kept[ONE]).toBeUndefined());
    expect(page.titles()).toEqual(["Other"]);
    expect(page.now().removed).toBeUndefined();
  });

  it("say why there are none", async () => {
    server.onRecorded = (call) => call.refuse(401, { message: "Unauthenticated." });
    const page = open();
    await page.until(() => expect(page.now().failure?.code).toBe("unauthenticated"));
    expect(page.titles()).toEqual([]);
  });
});

describe("a recorded run", () => {
  it("is shown with its calls, decisions and words, as when it ended", () => {
    const call = { name: "Bash", tool_use_id: "t1" };
    const view = viewOf(
      run("r", [
        message(0, "question", [{ type: "image" }, { type: "text", text: "Look" }]),
        message(3, "text", "Let me see."),
        message(3, "tool_call", { command: "ls" }, call),
        message(5, "permission", { by: "client" }, { ...call, status: "allow", actor: "7" }),
        message(6, "tool_result", "made", { ...call, status: "ok" }),
        message(7, "steer", "Only Graz", { actor: "7" }),
        message(9, "text", "Done."),
      ]),
      ONE,
    );
    expect(view.prompt).toBe("Look");
    expect(view.paragraphs).toEqual(["Let me see.", "Done."]);
    expect(view.toolCalls).toMatchObject([{ name: "Bash", input: { command: "ls" }, status: "ok", content: "made" }]);
    expect(view.permissions).toMatchObject([{ toolUseId: "t1", resolved: { behavior: "allow", by: "client", actor: "7" } }]);
    expect(view.steers).toMatchObject([{ text: "Only Graz", state: "read", actor: "7", called: 1 }]);
    expect([view.state, view.conversation]).toEqual(["done", ONE]);
  });

  it("that failed or was stopped says so, and what is not kept is left out", () => {
    const failed = viewOf(run("r", [message(0, "question", null)], { status: "error", code: "auth", error: "No account." }), ONE);
    expect([failed.state, failed.prompt, failed.error]).toEqual(["error", "", { code: "auth", message: "No account.", retryable: false }]);
    const stopped = viewOf(run("r", [], { status: "aborted", code: "client" }), ONE);
    expect([stopped.state, stopped.stoppedBy]).toEqual(["stopped", "client"]);
  });
});
