import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { StrictMode } from "react";
import { beforeEach, describe, expect, it } from "vitest";
import { Chat } from "../src/Chat";
import { Task } from "../src/Task";
import { forward } from "../../../packages/react/tests/clock.js";
import { mount, serveEachTest, server } from "../../../packages/react/tests/hook.js";
import { RUN, SESSION, START, UP } from "../../../packages/react/tests/server.js";
import { asks } from "../../../packages/react/tests/taskEvents.js";

serveEachTest();
beforeEach(() => sessionStorage.clear());

describe("stopping", () => {
  it("tells the server, which might let the run go on without this page", async () => {
    server.onChat = (call) => call.open().say(START).text("Half");
    const chat = mount();
    chat.send();
    await chat.says("Half");
    chat.stop();
    expect(chat.now()).toMatchObject({ state: "stopped", stoppedBy: "user", text: "Half" });
    await waitFor(() => expect(server.aborts.map((call) => call.path)).toEqual([`/agent/runs/${RUN}/abort`]));
    expect(server.aborts[0]!.headers["content-type"]).toBe("application/json");
    await server.posts[0]!.gone;
    expect(chat.now().stopError).toBeUndefined();
  });

  it("twice, or after the end, asks for nothing more", async () => {
    server.onChat = (call) => call.open().text("All").done("All");
    const chat = mount();
    chat.send();
    await chat.reaches("done");
    chat.stop();
    chat.stop();
    expect(chat.now().state).toBe("done");
    expect(server.aborts).toHaveLength(0);
  });

  it("that the server refuses is told, for the run may go on", async () => {
    server.onChat = (call) => call.open().text("Half");
    server.onAbort = (call) => call.refuse(419, { message: "CSRF token mismatch." });
    const chat = mount();
    chat.send();
    await chat.says("Half");
    chat.stop();
    await waitFor(() => expect(chat.now().stopError).toMatchObject({ code: "page_expired", httpStatus: 419 }));
    expect(chat.now().state).toBe("stopped");
  });

  for (const status of [404, 410]) {
    it(`of what is over already (HTTP ${status}) is no failure`, async () => {
      server.onChat = (call) => call.open().text("Half");
      server.onAbort = (call) => call.refuse(status, { message: "Over." });
      const chat = mount();
      chat.send();
      await chat.says("Half");
      chat.stop();
      await waitFor(() => expect(server.aborts).toHaveLength(1));
      expect(chat.now().stopError).toBeUndefined();
    });
  }

  it("is not what leaving the page does: the run may be gone on with", async () => {
    server.onChat = (call) => call.open().text("Half");
    const chat = mount();
    chat.send();
    await chat.says("Half");
    chat.unmount();
    await server.posts[0]!.gone;
    expect(server.aborts).toHaveLength(0);
  });

  it("of a task goes to the task's own address", async () => {
    server.onChat = (call) => call.open().say(START).text("Half");
    render(<Task base={server.taskBase} />);
    fireEvent.change(screen.getByRole("textbox", { name: "Message" }), { target: { value: "Do" } });
    fireEvent.click(screen.getByRole("button", { name: "Send" }));
    await screen.findByText("Half", { selector: ".answer p" });
    fireEvent.click(screen.getByRole("button", { name: "Stop" }));
    await waitFor(() => expect(server.aborts.map((call) => call.path)).toEqual([`/task/${RUN}/abort`]));
  });
});

describe("a page that is opened again in mid-answer", () => {
  it("goes on with the answer, its prompt and its conversation, and starts nothing", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Hel");
    const before = mount();
    before.send("Greet me");
    await before.says("Hel");
    before.unmount();
    server.onResume = (call) => call.open(0).say(START, UP).text("Hel").text("lo!").done("Hello!");
    const after = mount();
    expect(after.now()).toMatchObject({ state: "connecting", reconnecting: true, prompt: "Greet me" });
    await after.reaches("done");
    expect(after.now()).toMatchObject({ text: "Hello!", conversation: SESSION, prompt: "Greet me" });
    expect(server.resumes[0]!.headers["last-event-id"]).toBe(`${RUN}:0`);
    expect(server.posts).toHaveLength(1);
    after.unmount();
    expect(mount().now().state).toBe("idle"); // an answer that has ended is not gone on with
  });

  it("can stop it", async () => {
    server.onChat = (call) => call.open().text("Half");
    const before = mount();
    before.send();
    await before.says("Half");
    before.unmount();
    server.onResume = (call) => call.open(0).text("Half").text(" more");
    const after = mount();
    await after.says("Half more");
    after.stop();
    expect(after.now()).toMatchObject({ state: "stopped", text: "Half more" });
    await waitFor(() => expect(server.aborts).toHaveLength(1));
    after.unmount();
    expect(mount().now().state).toBe("idle");
  });

  it("puts its open questions again, with the time that is left by the server's clock", async () => {
    const asked = new Date(Date.now() - 60_000);
    const question = { ...asks(1, "Bash", { command: "ls" }), expires_at: new Date(+asked + 120_000).toISOString() };
    server.onChat = (call) => call.open().say(START, { ...question, ts: asked.toISOString() });
    const page = render(<Task base={server.taskBase} />);
    fireEvent.change(screen.getByRole("textbox", { name: "Message" }), { target: { value: "List" } });
    fireEvent.click(screen.getByRole("button", { name: "Send" }));
    await screen.findByRole("alertdialog");
    page.unmount();
    server.onResume = (call) => call.open(0).say({ ...START, ts: asked.toISOString() }, { ...question, ts: asked.toISOString() });
    render(
      <StrictMode>
        <Task base={server.taskBase} />
      </StrictMode>,
    );
    const dialog = await screen.findByRole("alertdialog");
    expect(within(dialog).getByTestId("countdown").textContent).toMatch(/^(1:0\d|0:5\d) left/);
    fireEvent.click(within(dialog).getByRole("button", { name: "Deny" }), { detail: 0 });
    fireEvent.click(within(dialog).getByRole("button", { name: "Deny" }), { detail: 0 });
    await waitFor(() => expect(server.decisions).toHaveLength(1));
    expect(server.decisions[0]!.body.behavior).toBe("deny");
  });

  for (const status of [404, 204]) {
    it(`begins anew where the run is not known any more (HTTP ${status})`, async () => {
      server.onChat = (call) => call.open().text("Half");
      const before = mount();
      before.send();
      await before.says("Half");
      before.unmount();
      server.onResume = (call) => call.refuse(status);
      const after = mount();
      await after.reaches("idle");
      expect([after.now().text, after.now().error, after.now().prompt]).toEqual(["", undefined, undefined]);
    });
  }

  it("goes on with no other conversation than the one it was opened for", async () => {
    server.onChat = (call) => call.open().text("Half");
    const before = mount();
    before.send();
    await before.says("Half");
    before.unmount();
    const other = mount({ conversation: "11111111-2222-4333-8444-555555555555" });
    expect(other.now().state).toBe("idle");
    expect(server.resumes).toHaveLength(0);
  });
});

describe("a conversation that is busy", () => {
  it("is told as such, and can be tried again when the server said", async () => {
    const busy = { message: "An answer is still on its way.", code: "session_busy", retryable: true };
    server.onChat = (call) =>
      server.posts.length === 1 ? call.refuse(409, busy, { "Retry-After": "60" }) : call.open().text("Now").done("Now");
    render(<Chat base={server.base} />);
    fireEvent.change(screen.getByRole("textbox", { name: "Message" }), { target: { value: "Hi" } });
    fireEvent.click(screen.getByRole("button", { name: "Send" }));
    const alert = await screen.findByRole("alert");
    expect([alert.textContent, alert.dataset.code]).toEqual(["An answer is still on its way.", "session_busy"]);
    const retry = screen.getByRole<HTMLButtonElement>("button", { name: "Try again" });
    expect(retry.disabled).toBe(true);
    forward(60_000);
    await waitFor(() => expect(retry.disabled).toBe(false));
    fireEvent.click(retry);
    await screen.findByText("Now", { selector: ".answer p" });
  });

  it("is understood from an event stream, too", async () => {
    const event = { v: 1, seq: 1, run: "", ts: "", type: "error", code: "session_busy", message: "Busy.", retryable: true };
    const frame = `id: x:1\nevent: error\ndata: ${JSON.stringify(event)}\n\n`;
    server.onChat = (call) => call.refuseRaw(409, "text/event-stream; charset=utf-8", frame);
    const chat = mount();
    chat.send();
    await chat.reaches("error");
    expect(chat.now().error).toMatchObject({ code: "session_busy", message: "Busy.", retryable: true, httpStatus: 409 });
  });
});
