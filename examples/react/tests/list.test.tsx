/** The list of conversations beside the messages. */
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { StrictMode } from "react";
import { beforeEach, describe, expect, it } from "vitest";
import { Chat } from "../src/Chat";
import { when } from "../src/words";
import { serveEachTest, server } from "../../../packages/react/tests/hook.js";
import { START, UP } from "../../../packages/react/tests/server.js";

serveEachTest();
beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  server.onChat = (call) => call.open().say(START, { ...UP, resumed: call.body.prompt !== "one" }).text(`To ${call.body.prompt}`).done();
});

const open = (visitor?: string) => render(<StrictMode><Chat base={server.base} visitor={visitor} /></StrictMode>); // prettier-ignore
const nav = () => within(screen.getByRole("navigation", { name: "Conversations" }));
const rows = () => nav().queryAllByRole("listitem").map((item) => within(item).getAllByRole("button")[0]!);
const titles = () => rows().map((row) => row.querySelector(".title")!.textContent);
const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const row = (title: string) => rows().find((each) => each.textContent!.startsWith(title))!;
const box = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
const reaches = (state: string) => waitFor(() => expect(screen.getByTestId("status").dataset.state).toBe(state));
const answers = () => screen.queryAllByTestId("answer").map(({ textContent }) => textContent);
function send(prompt: string) {
  fireEvent.change(box(), { target: { value: prompt } });
  fireEvent.keyDown(box(), { key: "Enter" });
}
async function ask(prompt: string, state = "done") {
  send(prompt);
  await waitFor(() => expect(screen.getAllByText(prompt).length).toBeGreaterThan(0));
  await reaches(state);
}
async function askTwo() {
  const page = open();
  await ask("one");
  press("New conversation");
  await ask("two");
  return page;
}

describe("the list of conversations", () => {
  it("marks the one that is open, and opens another with the keyboard's place kept, also after a reload", async () => {
    const page = await askTwo();
    expect(titles()).toEqual(["two", "one"]);
    page.unmount();
    open();
    expect(rows().map((each) => each.getAttribute("aria-current"))).toEqual(["true", null]);
    expect(answers()).toEqual(["To two"]);
    row("one").focus();
    fireEvent.click(row("one"));
    expect(answers()).toEqual(["To one"]);
    expect(rows().map((each) => each.getAttribute("aria-current"))).toEqual([null, "true"]);
    expect(document.activeElement).toBe(row("one"));
    expect(screen.getByTestId("announcer").textContent).toBe("");
    await ask("three");
    expect(titles()).toEqual(["one", "two"]);
    expect(answers()).toEqual(["To one", "To three"]);
  });

  it("deletes, and brings back, and the focus goes along", async () => {
    await askTwo();
    press("Delete: two");
    expect(titles()).toEqual(["one"]);
    expect(answers()).toEqual([]);
    const undo = screen.getByRole("button", { name: "Undo" });
    expect(undo.closest("[role=status]")!.textContent).toBe("Deleted: twoUndo");
    expect(document.activeElement).toBe(undo);
    fireEvent.click(undo);
    expect(answers()).toEqual(["To two"]);
    expect(document.activeElement).toBe(row("two"));
    expect(screen.queryByRole("button", { name: "Undo" })).toBeNull();
  });

  it("tells which one is being answered, while another is looked at", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Half");
    open();
    await ask("one", "streaming");
    press("New conversation");
    expect(screen.getByTestId("status").dataset.state).toBe("idle");
    expect(document.activeElement).toBe(box());
    expect(row("one").textContent).toBe("oneAnswering …");
    server.posts[0]!.text(" and whole.").done();
    await waitFor(() => expect(row("one").textContent).not.toContain("Answering"));
    fireEvent.click(row("one"));
    expect(answers()).toEqual(["Half and whole."]);
  });

  it("opens over the messages where it has no room, closes on Escape, and gives the focus back", async () => {
    await askTwo();
    const button = screen.getByRole("button", { name: "Conversations" });
    fireEvent.click(button);
    expect(button.getAttribute("aria-expanded")).toBe("true");
    expect(document.activeElement).toBe(row("two"));
    expect(box().closest("[inert]")).not.toBeNull();
    fireEvent.keyDown(row("two"), { key: "Escape" });
    expect(button.getAttribute("aria-expanded")).toBe("false");
    expect(document.activeElement).toBe(button);
    expect(box().closest("[inert]")).toBeNull();
    fireEvent.click(button);
    fireEvent.click(row("one"));
    expect(button.getAttribute("aria-expanded")).toBe("false");
    expect(document.activeElement).toBe(box());
    expect(answers()).toEqual(["To one"]);
  });

  it("is another visitor's own", async () => {
    const page = open("ada");
    await ask("one");
    page.unmount();
    open("bob");
    expect(titles()).toEqual([]);
    nav().getByText("What you write here is kept in this browser.");
  });
});

describe("a conversation that the server has forgotten", () => {
  it("stays readable, and its message is offered for a new one", async () => {
    open();
    await ask("one");
    const before = server.posts[0]!.body.conversation;
    server.onChat = (call) => call.refuse(404, { code: "session_not_found", message: "There is no such conversation." });
    await ask("two", "error");
    screen.getByText(/does not have this conversation any more/);
    expect(answers()).toEqual(["To one"]);
    server.onChat = (call) => call.open().say(START, UP).text(`To ${call.body.prompt}`).done();
    press("Send it in a new conversation");
    await reaches("done");
    expect(answers()).toEqual(["To two"]);
    expect(titles()).toEqual(["two", "one"]);
    expect(server.posts[2]!.body).toMatchObject({ prompt: "two" });
    expect([before, UP.session_id]).not.toContain(server.posts[2]!.body.conversation);
    expect(document.activeElement).toBe(box());
  });

  it("is said to be forgotten where the server begins it anew by itself", async () => {
    open();
    await ask("one");
    expect(screen.queryByText(/had forgotten this conversation/)).toBeNull();
    await ask("two");
    expect(screen.queryByText(/had forgotten this conversation/)).toBeNull();
    server.onChat = (call) => call.open().say(START, UP).text("Who?").done();
    send("three");
    await waitFor(() => expect(answers()).toHaveLength(3));
    screen.getByText(/had forgotten this conversation/);
  });
});

describe("a message whose page was left before the answer began", () => {
  it("is not lost", async () => {
    const page = open();
    server.onChat = () => undefined;
    send("one");
    await waitFor(() => expect(server.posts).toHaveLength(1));
    page.unmount();
    sessionStorage.clear();
    open();
    act(() => row("one").click());
    screen.getByRole("button", { name: "Try again" });
  });
});

describe("when", () => {
  it("is a time of today, a day of this week, or a date", () => {
    const now = new Date(2026, 10, 26, 20, 0).getTime();
    expect(when(new Date(2026, 10, 26, 9, 5).getTime(), now)).toBe("09:05");
    expect(when(new Date(2026, 10, 23, 9, 5).getTime(), now)).toMatch(/^Mon,? 09:05$/);
    expect(when(new Date(2025, 10, 23, 9, 5).getTime(), now)).toBe("23 Nov 2025");
  });
});
