import { act, renderHook, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AgentStream } from "../src/agentStream.js";
import { titleOf } from "../src/conversations.js";
import { Shelf } from "../src/shelf.js";
import { useConversations } from "../src/useConversations.js";
import { serveEachTest, server } from "./hook.js";
import { type Call, START, UP } from "./server.js";

serveEachTest();
beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  server.onChat = (call) => call.open().say(START, UP).text(`To ${call.body.prompt}`).done();
});
afterEach(() => vi.restoreAllMocks());

/** A page with the hook; unmounting it is what a reload does. */
function open(visitor?: string) {
  const { result, unmount } = renderHook(() => useConversations({ base: server.base, visitor }), { wrapper: StrictMode });
  const now = () => result.current;
  const reaches = (state: string) => waitFor(() => expect(now().chat.state).toBe(state));
  const send = (prompt: string) => act(() => expect(now().chat.send(prompt)).toBe(true));
  const ask = async (prompt: string, state = "done") => {
    send(prompt);
    await reaches(state);
  };
  const titles = () => now().list.map(({ title }) => title);
  const goTo = (title: string) => act(() => now().open(now().list.find((each) => each.title === title)!.id));
  const remove = (title: string) => act(() => now().remove(now().list.find((each) => each.title === title)!.id));
  const prompts = () => [...now().chat.past, now().chat].map(({ prompt }) => prompt);
  return { now, ask, send, reaches, titles, goTo, remove, prompts, unmount, begin: (prompt?: string) => act(() => now().begin(prompt)) };
}

/** Leaves the tab: another one begins without its `sessionStorage`. */
function newTab(visitor?: string) {
  sessionStorage.clear();
  return open(visitor);
}

describe("the conversations", () => {
  it("are listed once something was sent, the newest first, and stay over a reload, each with its messages", async () => {
    const before = open();
    expect(before.titles()).toEqual([]);
    await before.ask("one");
    await before.ask("more of one");
    before.begin();
    expect(before.prompts()).toEqual([undefined]);
    await before.ask("two");
    expect(before.titles()).toEqual(["two", "one"]);
    before.unmount();

    const after = open();
    expect(after.titles()).toEqual(["two", "one"]);
    expect(after.prompts()).toEqual(["two"]);
    after.goTo("one");
    expect(after.prompts()).toEqual(["one", "more of one"]);
    expect(after.now().list.find(({ id }) => id === after.now().current)!.title).toBe("one");
    await after.ask("three");
    expect(after.titles()).toEqual(["one", "two"]);
    after.unmount();
    expect(open().prompts()).toEqual(["one", "more of one", "three"]);
  });

  it("go on with the session of each, and begin with another one", async () => {
    const sessions = ["a", "b"].map((letter) => `159f0000-0000-4000-8000-00000000000${letter}`);
    const sent = () => server.posts.map(({ body }) => body.conversation);
    server.onChat = (call) => {
      const session = sent().length % 2 ? sessions[0]! : sessions[1]!;
      call.open().say(START, { ...UP, session_id: session }).say({ type: "done", stop_reason: "end_turn", text: "", session_id: session }).end();
    };
    const page = open();
    await page.ask("one");
    page.begin();
    await page.ask("two");
    page.goTo("one");
    await page.ask("three");
    expect(sent()[2]).toBe(sessions[0]);
    page.goTo("two");
    await page.ask("four");
    expect(sent()[3]).toBe(sessions[1]);
    expect(new Set(sent()).size).toBe(4);
  });

  it("are there in another tab, which begins with a new one, and learn what is said in the other", async () => {
    const first = open();
    await first.ask("one");
    first.unmount();
    const second = newTab();
    expect(second.prompts()).toEqual([undefined]);
    expect(second.titles()).toEqual(["one"]);
    second.goTo("one");
    const place = new Shelf(`${server.base}/chat`);
    const volume = place.volume(second.now().current)!;
    place.put({ ...volume, at: volume.at + 1 }, [{ ...second.now().chat, prompt: "elsewhere" }], false);
    act(() => void dispatchEvent(new StorageEvent("storage", { key: place.placeOf(volume.id) })));
    expect(second.prompts()).toEqual(["elsewhere"]);
  });

  it("are shown to nobody else who signs in", async () => {
    const ada = open("ada");
    await ada.ask("one");
    ada.unmount();
    const bob = open("bob");
    expect(bob.titles()).toEqual([]);
    expect(bob.prompts()).toEqual([undefined]);
    bob.unmount();
    expect(open("ada").titles()).toEqual(["one"]);
  });
});

describe("an answer", () => {
  it("goes on while another conversation is looked at, and the list tells how it stands", async () => {
    const calls: Call[] = [];
    server.onChat = (call) => void calls.push(call.open().say(START, UP).text("Hal"));
    const page = open();
    await page.ask("one", "streaming");
    page.begin();
    await page.ask("two", "streaming");
    expect(page.now().list.map(({ state }) => state)).toEqual(["streaming", "streaming"]);
    const asked = { type: "permission_request" as const, permission_id: "p", name: "Bash", tool_use_id: "t", input: {}, expires_at: "2026-11-20T23:29:00.004Z" };
    calls[0]!.say(asked);
    await waitFor(() => expect(page.now().list.map(({ isAsking }) => isAsking)).toEqual([false, true]));
    calls[0]!.text("f.").done();
    await waitFor(() => expect(page.now().list.map(({ state }) => state === "streaming")).toEqual([true, false]));
    page.goTo("one");
    expect(page.now().chat).toMatchObject({ state: "done", text: "Half." });
    expect(server.aborts).toEqual([]);
  });

  it("is taken up after a reload in each conversation", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Hal");
    const before = open();
    await before.ask("one", "streaming");
    before.begin();
    await before.ask("two", "streaming");
    before.unmount();
    server.onResume = (call) => call.open(0).say(START, UP).text("Half.").done();
    const after = open();
    await after.reaches("done");
    await waitFor(() => expect(after.now().list.some(({ state }) => state === "streaming")).toBe(false));
    after.goTo("one");
    expect(after.prompts()).toEqual(["one"]);
    expect(after.now().chat).toMatchObject({ state: "done", text: "Half." });
    expect(server.posts).toHaveLength(2);
  });

  it("whose run cannot be taken up leaves its message, which can be sent again", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Hal");
    const before = open();
    await before.ask("one", "streaming");
    before.unmount();
    const after = open();
    await after.reaches("stopped");
    expect(after.prompts()).toEqual(["one"]);
    after.unmount();
    const tab = newTab();
    tab.goTo("one");
    server.onChat = (call) => call.open().say(START, UP).text("There.").done();
    act(() => expect(tab.now().chat.retry()).toBe(true));
    await tab.reaches("done");
    expect(tab.prompts()).toEqual(["one"]);
  });
});

describe("a deleted conversation", () => {
  it("can be brought back until something else is done, and else is gone for good", async () => {
    const page = open();
    await page.ask("one");
    page.begin();
    await page.ask("two");
    page.remove("one");
    expect(page.titles()).toEqual(["two"]);
    expect(page.now().removed!.title).toBe("one");
    act(() => page.now().undo());
    expect(page.titles()).toEqual(["two", "one"]);
    expect(page.prompts()).toEqual(["two"]);
    page.remove("two");
    expect(page.prompts()).toEqual([undefined]);
    act(() => page.now().undo());
    expect(page.prompts()).toEqual(["two"]);
    page.remove("two");
    page.begin();
    page.unmount();
    expect(open().titles()).toEqual(["one"]);
    expect(JSON.stringify({ ...localStorage })).not.toContain("two");
  });

  it("is not answered any more", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Hal");
    const page = open();
    await page.ask("one", "streaming");
    page.remove("one");
    await waitFor(() => expect(server.aborts).toHaveLength(1));
    expect(page.titles()).toEqual([]);
    act(() => page.now().undo());
    expect(page.now().chat).toMatchObject({ state: "stopped", prompt: "one", text: "Hal" });
  });
});

describe("the room for conversations", () => {
  const view = (text = "", prompt = text.slice(0, 9)) => ({ ...new AgentStream({ base: "/x" }).view(), prompt, text });
  const fill = (shelf: Shelf, count: number, size: number) => {
    for (let at = 1; at <= count; at++) shelf.put({ id: `c${at}`, title: `c${at}`, at }, [view("x".repeat(size))], false);
  };
  const full = () => new DOMException("full", "QuotaExceededError");

  it("is bounded in number and in size: the oldest go first", () => {
    const many = new Shelf("/many");
    fill(many, 60, 1);
    expect(many.list().map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, index) => `c${60 - index}`));
    const large = new Shelf("/large");
    fill(large, 6, 400_000);
    expect(large.list().map(({ id }) => id)).toEqual(["c6", "c5", "c4", "c3"]);
    expect(Object.keys(localStorage).filter((key) => key.includes("/large"))).toHaveLength(5);
    expect(JSON.stringify({ ...localStorage }).length).toBeLessThan(3_000_000);
  });

  it("is made where storage is full, by the oldest", () => {
    fill(new Shelf("/full"), 3, 1000);
    const most = JSON.stringify({ ...localStorage }).length + 500;
    const { setItem } = Storage.prototype;
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(function (this: Storage, key, value) {
      const before = JSON.stringify({ ...this, [key]: "" }).length;
      if (before + value.length > most) throw full();
      setItem.call(this, key, value);
    });
    const shelf = new Shelf("/full");
    shelf.put({ id: "new", title: "new", at: 9 }, [view("y".repeat(1200))], false);
    expect(shelf.list().map(({ id }) => id)).not.toContain("c1");
    expect(shelf.list()[0]!.id).toBe("new");
    expect(new Shelf("/full").exchanges("new")[0]!.text).toHaveLength(1200);
  });

  it("is the page's own where storage is switched off", async () => {
    for (const method of ["getItem", "setItem", "removeItem"] as const)
      vi.spyOn(Storage.prototype, method).mockImplementation(() => {
        throw new DOMException("off", "SecurityError");
      });
    const page = open();
    await page.ask("one");
    page.begin();
    await page.ask("two");
    expect(page.titles()).toEqual(["two", "one"]);
    page.goTo("one");
    expect(page.now().chat).toMatchObject({ prompt: "one", text: "To one" });
    page.remove("two");
    act(() => page.now().undo());
    page.goTo("two");
    expect(page.now().chat.text).toBe("To two");
  });

  it("holds nothing where something else has been stored", () => {
    localStorage.setItem("agent-conversations:/odd", '[{"id":1},null,{"id":"a","title":"a","at":1,"size":2}]');
    localStorage.setItem("agent-conversations:/odd a", "{]");
    expect(new Shelf("/odd").list()).toHaveLength(1);
    expect(new Shelf("/odd").exchanges("a")).toEqual([]);
  });
});

describe("a title", () => {
  it("is the first words of the first message, in one line", () => {
    expect(titleOf("  How deep\nis it? ")).toBe("How deep is it?");
    const long = titleOf("Compare the three ports of the northern Adriatic by depth, berths and fees");
    expect(long).toBe("Compare the three ports of the northern Adriatic by depth, …");
    expect(titleOf("x".repeat(100))).toBe(`${"x".repeat(60)} …`);
  });
});
