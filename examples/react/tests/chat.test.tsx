import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { describe, expect, it } from "vitest";
import { Chat } from "../src/Chat";
import { forward } from "../../../packages/react/tests/clock.js";
import { serveEachTest, server } from "../../../packages/react/tests/hook.js";
import { START } from "../../../packages/react/tests/server.js";

serveEachTest();

function open() {
  render(
    <StrictMode>
      <Chat base={server.base} />
    </StrictMode>,
  );
  const textbox = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
  const type = (value: string) => fireEvent.change(textbox, { target: { value } });
  return { textbox, type };
}

function ask(prompt = "Hi") {
  const { textbox, type } = open();
  type(prompt);
  fireEvent.click(screen.getByRole("button", { name: "Send" }));
  return { textbox, type };
}

const answers = () => screen.getAllByTestId("answer").map((answer) => answer.textContent);
const reaches = (state: string) => waitFor(() => expect(screen.getByTestId("status").dataset.state).toBe(state));

describe("the chat page", () => {
  it("shows an answer while it comes and what it took at the end", async () => {
    server.onChat = (call) => call.open().say(START).text("Hel");
    ask();
    await waitFor(() => expect(answers()).toEqual(["Hel"]));
    await reaches("streaming");
    server.posts[0]!.text("lo!").done("Hello!");
    await reaches("done");
    expect(answers()).toEqual(["Hello!"]);
    screen.getByText("1 s");
    screen.getByTitle("10 tokens in · 3 out · about $0.0004");
    expect(document.body.textContent).not.toMatch(/\$|tokens/);
    screen.getByText("simulated");
  });

  it("announces the whole answer once instead of every token", async () => {
    server.onChat = (call) => call.open().text("Hel");
    ask();
    await waitFor(() => expect(answers()).toEqual(["Hel"]));
    const announcer = screen.getByTestId("announcer");
    expect(announcer.getAttribute("aria-live")).toBe("polite");
    expect(announcer.textContent).toBe("Answering.");
    expect(screen.getByRole("article").getAttribute("aria-busy")).toBe("true");
    server.posts[0]!.text("lo!").done("Hello!");
    await reaches("done");
    expect(announcer.textContent).toBe("Hello!");
    expect(screen.getByRole("article").getAttribute("aria-busy")).toBe("false");
    expect(screen.getByTestId("answer").closest("[aria-live]")).toBeNull();
  });

  it("keeps earlier messages above the live one", async () => {
    server.onChat = (call) => call.open().text(`${call.body.prompt}!`).done();
    const { type } = ask("one");
    await reaches("done");
    type("two");
    fireEvent.click(screen.getByRole("button", { name: "Send" }));
    await waitFor(() => expect(answers()).toEqual(["one!", "two!"]));
    screen.getByText("one", { selector: ".prompt" });
    screen.getByText("two", { selector: ".prompt" });
  });

  it("shows HTML in the model's text as text, and Markdown as what it means", async () => {
    const evil = '<img src=x onerror="alert(1)"> **bold**\n<script>alert(1)</script>';
    server.onChat = (call) => call.open().text(evil).done();
    ask();
    await reaches("done");
    expect(answers()[0]).toBe(evil.replace("**bold**\n", "bold"));
    expect(screen.getByTestId("answer").querySelector("img, script, b")).toBeNull();
    expect(screen.getByTestId("answer").querySelector("strong")!.textContent).toBe("bold");
  });

  it("sends on Enter, but not on Shift+Enter or while a word is being composed", async () => {
    const { textbox, type } = open();
    type("Hi");
    fireEvent.keyDown(textbox, { key: "Enter", shiftKey: true });
    fireEvent.keyDown(textbox, { key: "Enter", isComposing: true });
    fireEvent.keyDown(textbox, { key: "Enter", keyCode: 229 });
    expect(screen.getByTestId("status").dataset.state).toBe("idle");
    fireEvent.keyDown(textbox, { key: "Enter" });
    expect(textbox.value).toBe("");
    await reaches("streaming");
    expect(server.posts.map((post) => post.body.prompt)).toEqual(["Hi"]);
  });

  it("stops, says so and gives the keyboard back to the textbox", async () => {
    server.onChat = (call) => call.open().text("Half");
    const { textbox } = ask();
    expect(document.activeElement).toBe(textbox);
    await waitFor(() => expect(answers()).toEqual(["Half"]));
    const stop = screen.getByRole("button", { name: "Stop" });
    stop.focus();
    fireEvent.click(stop);
    expect(screen.getByTestId("status").dataset.state).toBe("stopped");
    expect(answers()).toEqual(["Half"]);
    screen.getByText("You stopped this answer.", { selector: ".mark p" });
    screen.getByRole("button", { name: "Continue" });
    screen.getByRole("button", { name: "Try again" });
    expect(document.activeElement).toBe(textbox);
    await server.posts[0]!.gone;
    screen.getByRole("button", { name: "Send" });
  });

  it("alerts of an error and retries", async () => {
    const error = { type: "error", code: "overloaded", message: "The model is busy.", retryable: true } as const;
    server.onChat = (call) =>
      server.posts.length === 1 ? call.open().say(error).end() : call.open().text("Now.").done("Now.");
    const { textbox } = ask();
    const alert = await screen.findByRole("alert");
    expect([alert.textContent, alert.dataset.code]).toEqual(["The model is busy.", "overloaded"]);
    screen.getByText("It is usually free again within a minute.");
    expect(screen.getByTestId("status").dataset.state).toBe("error");
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(document.activeElement).toBe(textbox);
    await reaches("done");
    expect(answers()).toEqual(["Now."]);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("counts down to when a retry is allowed", async () => {
    const error = {
      type: "error",
      code: "rate_limited",
      message: "Too fast.",
      retryable: true,
      retry_after_ms: 30_000,
    } as const;
    server.onChat = (call) => call.open().say(error).end();
    ask();
    const retry = await screen.findByRole<HTMLButtonElement>("button", { name: "Try again" });
    expect(retry.disabled).toBe(true);
    screen.getByText(/^in (30|2\d) s$/);
    forward(30_000);
    await waitFor(() => expect(retry.disabled).toBe(false));
  });

  it("offers no retry where it can't help", async () => {
    server.onChat = (call) => call.refuse(422, { message: "The prompt is too long." });
    ask();
    await screen.findByText("The prompt is too long.");
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
  });

  it("shows tools, thinking, notices and an early end", async () => {
    server.onChat = (call) =>
      call
        .open()
        .say({ type: "thinking", text: "Hm.", block: 1 })
        .say({ type: "notice", level: "warning", code: "x", message: "Mind the gap." })
        .say({ type: "tool_call", tool_use_id: "t1", name: "Read", input: { path: "a.txt" } })
        .say({ type: "tool_result", tool_use_id: "t1", status: "denied", content: "No." })
        .say({
          type: "done",
          stop_reason: "max_tokens",
          text: "",
          session_id: "s",
          usage: {},
          duration_ms: 1,
          turns: 1,
        })
        .end();
    ask();
    await reaches("done");
    screen.getByText("Hm.");
    screen.getByText("Mind the gap.");
    screen.getByText("Read");
    screen.getByText("not allowed");
    screen.getByText("The answer reached its greatest length and breaks off here.");
    screen.getByRole("button", { name: "Continue" });
  });
});
