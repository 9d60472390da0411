/** The element in a page: what is seen and heard of it, and what the server gets. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configure, fireEvent, waitFor, within } from "@testing-library/dom";
import { forward } from "../../react/tests/clock";
import { AgentServer, START, UP } from "../../react/tests/server";
import { asks, calls, inquires, prints, results, settles } from "../../react/tests/taskEvents";
import type { AgentChat } from "../src/element";

configure({ asyncUtilTimeout: 60_000 });
let server: AgentServer;

beforeEach(async () => {
  server = await AgentServer.start();
  sessionStorage.clear();
  // jsdom has no sheets that are made by hand; what they do is tested in a browser.
  vi.stubGlobal("CSSStyleSheet", class { replaceSync() {} });
  await import("../src/element");
});
afterEach(async () => {
  document.body.replaceChildren();
  await server.stop();
});

function open(attributes: Record<string, string> = {}, inside = "") {
  const element = document.createElement("agent-chat") as AgentChat;
  const named = { endpoint: `${server.base}/chat`, ...attributes };
  for (const [name, value] of Object.entries(named)) element.setAttribute(name, value);
  element.innerHTML = inside;
  document.body.append(element);
  const root = element.shadowRoot!.querySelector("section")!;
  const page = within(root as HTMLElement);
  const part = (name: string) => root.querySelector(`[part~=${name}]`) as HTMLElement;
  const say = (text: string) => {
    fireEvent.input(page.getByLabelText("Message"), { target: { value: text } });
    fireEvent.keyDown(page.getByLabelText("Message"), { key: "Enter" });
  };
  const reaches = (state: string) => waitFor(() => expect(part("status").dataset.state).toBe(state));
  const texts = (name: string) => [...root.querySelectorAll(`[part~=${name}]`)].map(({ textContent }) => textContent);
  return { element, page, part, say, reaches, texts };
}

describe("<agent-chat>", () => {
  it("shows an answer while it comes, in its place, and says it at the end", async () => {
    server.onChat = (call) => call.open().say(START, UP, { type: "thinking", block: 1, text: "Hm." }).text("Hel", 2);
    const { part, say, reaches, texts } = open({}, "Ask me.");
    expect(part("hint").hidden).toBe(false);
    say("Hi");
    await waitFor(() => expect(texts("text")).toEqual(["Hel"]));
    expect(part("hint").hidden).toBe(true);
    expect(part("announcer").textContent).toBe("Answering.");
    expect(part("thinking")).toMatchObject({ open: false, textContent: "ThinkingHm." });
    const kept = part("text");
    server.posts[0]!.text("lo <b>", 2).done();
    await reaches("done");
    expect(texts("text")).toEqual(["Hello <b>"]);
    expect(part("text")).toBe(kept); // changed in place
    expect(part("announcer").textContent).toBe("Hello <b>");
    expect(part("announcer").getAttribute("aria-live")).toBe("polite");
    expect(texts("prompt")).toEqual(["Hi"]);
    expect(part("simulated").textContent).toContain("no model answers");
  });

  it("begins an answer again where its run does, and says so", async () => {
    const again = { ...START, attempt: 2 };
    server.onChat = (call) => call.open().say(START, UP).text("Lost").say(calls("t1", "Bash", { command: "a" }), asks(1, "Bash", { command: "a" }));
    const { part, say, reaches, texts } = open();
    say("Hi");
    await waitFor(() => expect(part("permission")).not.toBeNull());
    server.posts[0]!.again(2).say(again).text("Kept");
    await waitFor(() => expect(texts("text")).toEqual(["Kept"]));
    expect(part("permission")).toBeNull();
    expect(texts("tool")).toEqual([]);
    expect(texts("note")).toContain("It was interrupted, and began again.");
    server.posts[0]!.done("Kept");
    await reaches("done");
    expect(texts("text")).toEqual(["Kept"]);
  });

  it.each([
    [{}, "<strong>Bold</strong>"],
    [{ plain: "" }, "**Bold**"],
  ])("shows an answer as Markdown, or with plain as it was written: %o", async (attributes, shown) => {
    server.onChat = (call) => call.open().say(START, UP).text("**Bold**", 1).done();
    const { element, part, say, reaches } = open(attributes);
    say("Hi");
    await reaches("done");
    expect(part("text").innerHTML).toContain(shown);
    element.toggleAttribute("plain"); // at any time
    const other = element.shadowRoot!.querySelector("[part~=text]")!;
    expect(other.innerHTML).not.toContain(shown);
    expect(other.textContent).toContain("Bold");
  });

  it("shows calls as lines, a subagent's inside, with what they print", async () => {
    server.onChat = (call) =>
      call.open().say(START, UP, calls("t1", "Agent", { say: "x" }), calls("t2", "Bash", { command: "ls" }, { parent: "t1" }));
    const { say, page, part } = open();
    say("Go");
    const inner = await page.findByRole("group", { name: "Tool Bash" });
    expect(page.getByRole("group", { name: "Tool Agent" }).contains(inner)).toBe(true);
    server.posts[0]!.say(prints("t2", "10%\r50%\n"), results("t2", "done", { ms: 1200 })).done();
    await waitFor(() => expect(inner.querySelector("[part=tool-state]")!.textContent).toBe("ok"));
    expect(inner.querySelector("[part=tool-output]")!.textContent).toContain("50%");
    expect(inner.querySelector("[part=tool-output]")!.textContent).not.toContain("10%");
    expect(inner.querySelector("[part=tool-result]")!.textContent).toBe("done");
    expect(part("tool-details").hasAttribute("open")).toBe(false);
  });

  it("reads what a call was given once, and not again with each word that comes", async () => {
    const stringify = vi.spyOn(JSON, "stringify");
    const read = () => stringify.mock.calls.filter(([value]) => (value as { command?: string })?.command === "ls").length;
    server.onChat = (call) => call.open().say(START, UP, calls("t1", "Bash", { command: "ls" }), results("t1", "a")).text("One");
    const { say, texts } = open();
    say("Go");
    await waitFor(() => expect(texts("text")).toEqual(["One"]));
    const before = read();
    server.posts[0]!.text(" two");
    await waitFor(() => expect(texts("text")).toEqual(["One two"]));
    expect(before).toBeGreaterThan(0);
    expect(read()).toBe(before);
    stringify.mockRestore();
  });

  it("sends the token that it has at the moment, for a gateway", async () => {
    server.onChat = (call) => call.open().say(START, UP, asks(1, "Write", {}));
    const { say, page } = open({ token: "first" });
    say("Go");
    const approve = await page.findByRole("button", { name: "Approve" });
    expect(server.posts[0]!.headers).toMatchObject({ authorization: "Bearer first" });
    document.querySelector("agent-chat")!.setAttribute("token", "second");
    fireEvent.click(approve);
    await waitFor(() => expect(server.decisions[0]).toMatchObject({ headers: { authorization: "Bearer second" } }));
  });

  it("asks for permission, sends the answer once, with the page's token, and closes when the run says so", async () => {
    server.onChat = (call) => call.open().say(START, UP, asks(1, "Write", { file: "a\u202e" }, { reason: "Outside." }));
    const { say, page, part } = open({ "csrf-token": "t0ken" });
    say("Go");
    const form = await page.findByRole("alertdialog", { name: "May the agent use Write?" });
    expect(form.textContent).toContain("\\u202e");
    expect(form.textContent).toContain("Outside.");
    expect(part("countdown").textContent).toMatch(/^[12]:\d\d left/);
    expect(part("announcer").textContent).toContain("may use Write");
    expect(document.activeElement).toBe(document.querySelector("agent-chat"));
    expect(document.querySelector("agent-chat")!.shadowRoot!.activeElement).toBe(form);
    const approve = page.getByRole("button", { name: "Approve" });
    fireEvent.click(approve);
    fireEvent.click(approve);
    await waitFor(() => expect(server.decisions).toHaveLength(1));
    expect(server.decisions[0]).toMatchObject({ body: { behavior: "allow" }, headers: { "x-csrf-token": "t0ken" } });
    await page.findByText("Your answer has arrived.");
    server.posts[0]!.say(settles(1, "allow", "client"), calls("t1", "Write", {}), results("t1", "ok")).done();
    await waitFor(() => expect(page.queryByRole("alertdialog")).toBeNull());
    await page.findByText("Approved by you.");
  });

  it("takes no click that was aimed at what stood there before, and denies with a word by Enter", async () => {
    server.onChat = (call) => call.open().say(START, UP, asks(1, "Write", {}));
    const { say, page } = open();
    say("Go");
    fireEvent.click(await page.findByRole("button", { name: "Approve" }), { detail: 1 });
    fireEvent.input(page.getByLabelText("Why not"), { target: { value: "Not now." } });
    fireEvent.submit(page.getByRole("alertdialog"));
    await waitFor(() => expect(server.decisions[0]?.body).toEqual({ behavior: "deny", message: "Not now." }));
    expect(server.decisions).toHaveLength(1);
  });

  it("puts questions, says what is missing, and takes a text of one's own", async () => {
    const options = [{ label: "Graz", description: "South" }, { label: "Linz" }];
    server.onChat = (call) =>
      call.open().say(
        START,
        UP,
        inquires(1, [
          { question: "Which city?", header: "City", options, multi: false },
          { question: "Which days?", options: [{ label: "Monday" }, { label: "Friday" }], multi: true },
        ]),
      );
    const { say, page } = open();
    say("Go");
    const form = await page.findByRole("dialog", { name: "The agent has questions" });
    fireEvent.click(page.getByLabelText(/^Monday/));
    fireEvent.submit(form);
    expect(page.getByText("Choose an answer, or write one.").hidden).toBe(false);
    fireEvent.input(page.getByLabelText("Other answer to: Which city?"), { target: { value: "Wien" } });
    fireEvent.input(page.getByLabelText("Other answer to: Which days?"), { target: { value: "Sunday" } });
    fireEvent.submit(form);
    await waitFor(() => expect(server.answers).toHaveLength(1));
    expect(server.answers[0]!.body.answers).toEqual({ "Which city?": "Wien", "Which days?": ["Monday", "Sunday"] });
  });

  it("says a word to the agent where the endpoint takes it, and not elsewhere", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Working.");
    const plain = open();
    plain.say("Go");
    await plain.reaches("streaming");
    expect(plain.page.queryByRole("button", { name: "Send" })).toBeNull();
    plain.say("Hurry");
    expect(plain.page.getByLabelText<HTMLTextAreaElement>("Message").value).toBe("Hurry");
    plain.element.remove();

    sessionStorage.clear();
    const { say, page, reaches } = open({ steer: "" });
    say("Go");
    await reaches("streaming");
    say("Hurry");
    await waitFor(() => expect(server.steers.map(({ body }) => body.text)).toEqual(["Hurry"]));
    await page.findByText("Waiting to be read.");
    server.posts[1]!.say({ type: "steered", id: "steer-Hurry", actor: "ada" });
    await page.findByText("Read. (ada)");
  });

  it("stops a run at the server", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Half");
    const { say, page, reaches, texts } = open();
    say("Go");
    await waitFor(() => expect(texts("text")).toEqual(["Half"]));
    fireEvent.click(page.getByRole("button", { name: "Stop" }));
    await reaches("stopped");
    await waitFor(() => expect(server.aborts).toHaveLength(1));
    page.getByText("Stopped.", { selector: "[part=note]" });
  });

  it("shows what went wrong, and tries again", async () => {
    server.onChat = (call) => call.open().say(START, { type: "error", code: "overloaded", message: "Busy.", retryable: true }).end();
    const { say, page, reaches, texts } = open();
    say("Go");
    await reaches("error");
    expect(page.getByRole("alert").textContent).toBe("Busy. (overloaded)");
    server.onChat = (call) => call.open().say(START, UP).text("There.").done();
    fireEvent.click(page.getByRole("button", { name: "Retry" }));
    await reaches("done");
    expect(texts("prompt")).toEqual(["Go"]);
    expect(page.queryByRole("alert")).toBeNull();
  });

  it("counts down to the time at which the server may be asked again", async () => {
    server.onChat = (call) => call.refuse(429, { message: "Slow down." }, { "Retry-After": "60" });
    const { say, page, reaches } = open();
    say("Go");
    await reaches("error");
    const button = page.getByRole<HTMLButtonElement>("button", { name: /^Retry in (60|5\d) s$/ });
    expect(button.disabled).toBe(true);
    forward(60_000);
    await waitFor(() => expect(button.textContent).toBe("Retry"));
    expect(button.disabled).toBe(false);
  });

  it("has the conversation again after a reload, and goes on with the run", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("One.").done();
    const before = open();
    before.say("first");
    await before.reaches("done");
    server.onChat = (call) => call.open().say(START, UP, asks(1, "Write", {})).text("Tw");
    before.say("second");
    await waitFor(() => expect(before.texts("text")).toEqual(["One.", "Tw"]));
    before.element.remove();
    await server.posts[1]!.gone;

    server.onResume = (call) => call.open(0).say(START, UP, asks(1, "Write", {})).text("Tw").text("o.");
    const after = open();
    expect(after.texts("prompt")).toEqual(["first", "second"]);
    await waitFor(() => expect(after.texts("text")).toEqual(["One.", "Two."]));
    fireEvent.click(await after.page.findByRole("button", { name: "Approve" }));
    await waitFor(() => expect(server.decisions).toHaveLength(1));
    server.resumes[0]!.say(settles(1, "allow", "client")).done();
    await after.reaches("done");
    expect(server.posts).toHaveLength(2);
    after.element.clear();
    expect(after.texts("prompt")).toEqual([]);
  });

  it("uses the routes that it is told, also later, and tells its state", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Half");
    const { element } = open();
    const states: string[] = [];
    document.body.addEventListener("agent-state", (event) => states.push((event as CustomEvent).detail.state), { once: false });
    element.setAttribute("runs", server.taskBase);
    element.setAttribute("endpoint", server.taskBase);
    expect(element.send("Go")).toBe(true);
    await waitFor(() => expect(element.state).toBe("streaming"));
    element.stop();
    await waitFor(() => expect(server.aborts[0]?.path).toMatch(/^\/task\/.*\/abort$/));
    expect(server.posts[0]!.path).toBe("/task");
    expect(states).toEqual(["connecting", "streaming", "stopped"]);
  });

  it("begins a new conversation by a button, not while the agent works, and forgets the old one", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Half");
    const before = open();
    expect(before.page.queryByRole("button", { name: "New conversation" })).toBeNull();
    before.say("Go");
    await before.reaches("streaming");
    expect(before.part("status").textContent).toBe("The agent answers …");
    const button = before.page.getByRole<HTMLButtonElement>("button", { name: "New conversation" });
    expect(button.disabled).toBe(true);
    fireEvent.click(before.page.getByRole("button", { name: "Stop" }));
    await before.reaches("stopped");
    expect(button.disabled).toBe(false);
    button.focus();
    fireEvent.click(button);
    await before.reaches("idle");
    expect(before.texts("prompt")).toEqual([]);
    expect(before.element.shadowRoot!.activeElement).toBe(before.page.getByLabelText("Message"));
    before.element.remove();
    expect(open().texts("prompt")).toEqual([]);
    const [first] = server.posts;
    server.onChat = (call) => call.open().say(START, UP).text("There.").done();
    const [after] = document.querySelectorAll("agent-chat");
    after!.send("Again");
    await waitFor(() => expect(server.posts).toHaveLength(2));
    expect(server.posts[1]!.body.conversation).not.toBe(first!.body.conversation);
  });

  it("speaks German where it or its page does, and what the page says instead", async () => {
    server.onChat = (call) => call.open().say(START, UP, asks(1, "Write", {}));
    document.documentElement.lang = "de-AT";
    const { element, page } = open({ words: '{"stop": "Halt!"}' });
    element.send("Los");
    await page.findByRole("alertdialog", { name: "Darf der Agent Write verwenden?" });
    expect(page.getByLabelText("Nachricht")).toBeTruthy();
    expect(page.getByRole("button", { name: "Halt!" })).toBeTruthy();
    expect(document.querySelector("agent-chat")!.shadowRoot!.textContent).toMatch(/Noch [12]:\d\d, dann gilt es als abgelehnt/);
    const again = () => within(element.shadowRoot!.querySelector("section")!);
    element.words = { stop: "Aus" };
    expect(again().getByRole("button", { name: "Aus" })).toBeTruthy();
    element.lang = "en";
    expect(again().getByRole("alertdialog", { name: "May the agent use Write?" })).toBeTruthy();
    document.documentElement.lang = "";
  });

  it("translates what the reader of the stream says, and leaves the server's own words", async () => {
    server.onChat = (call) => call.refuse(419, {});
    const { say, page, reaches } = open({ lang: "de", words: '{"message": "Message"}' });
    say("Hi");
    await reaches("error");
    expect(page.getByRole("alert").textContent).toBe(
      "Die Seite ist abgelaufen. Laden Sie sie neu, und versuchen Sie es noch einmal. (page_expired)",
    );
    server.onChat = (call) => call.refuse(403, { message: "Not you." });
    say("Hi");
    await page.findByText("Not you. (forbidden)");
  });

  it("says what it lacks", () => {
    const said = vi.spyOn(console, "error").mockImplementation(() => {});
    document.body.append(document.createElement("agent-chat"));
    expect(said.mock.calls[0]![0]).toContain('endpoint="/agent/chat"');
    said.mockRestore();
  });
});
