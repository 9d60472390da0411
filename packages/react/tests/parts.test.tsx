import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import {
  Composer,
  type Parts,
  PermissionForm,
  QuestionForm,
  TranscriptView,
  useConversation,
  usePermissions,
  useQuestions,
} from "../src/index.js";
import { serveEachTest, server } from "./hook.js";
import { START, UP } from "./server.js";
import { asks, calls, inquires, prints, results, settles } from "./taskEvents.js";

serveEachTest();

const CITY = { question: "Which city?", header: "City", options: [{ label: "Graz" }, { label: "Linz" }], multi: false };

/** A page of nothing but the package's parts and hooks. */
function Page({ parts, own }: { parts?: Partial<Parts>; own?: boolean }) {
  const chat = useConversation({ base: server.base });
  const permissions = usePermissions(chat);
  const questions = useQuestions(chat);
  const busy = chat.state === "connecting" || chat.state === "streaming";
  return (
    <>
      <TranscriptView chat={chat} parts={parts} />
      {own
        ? permissions.map(({ id, name, leftMs, isAnswered, allow, deny }) => (
            <p key={id} data-testid="own">
              {name} {isAnswered ? "answered" : "open"} {Math.ceil(leftMs! / 1000)}
              <button onClick={allow}>Yes</button>
              <button onClick={() => deny("Not now.")}>No</button>
            </p>
          ))
        : permissions.map((each) => (
            <PermissionForm key={each.id} permission={each} view={chat} decide={chat.decide} />
          ))}
      {own
        ? questions.map(({ id, items, answer }) => (
            <button key={id} onClick={() => answer({ [items[0]!.question]: "Graz" })}>
              Say Graz
            </button>
          ))
        : questions.map((each) => (
            <QuestionForm key={each.id} question={each} reply={each.reply} answer={chat.answer} />
          ))}
      <Composer busy={busy} maySteer onSend={busy ? chat.steer : chat.send} onStop={chat.stop} />
    </>
  );
}

function say(text: string) {
  fireEvent.change(screen.getByRole("textbox", { name: "Message" }), { target: { value: text } });
  fireEvent.click(screen.getByRole("button", { name: "Send" }));
}
const part = (name: string) => document.querySelector(`[data-part=${name}]`)?.textContent;

describe("the parts", () => {
  it("show texts and calls in their order, and what was said in between", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("First.");
    render(<Page />);
    say("Go");
    await screen.findByText("First.");
    say("Hurry");
    await waitFor(() => expect(server.steers).toHaveLength(1));
    server.posts[0]!
      .say(calls("t1", "Bash", { command: "ls" }), prints("t1", "a.txt\n"), results("t1", "a.txt\n", { ms: 1200 }))
      .say({ type: "steered", id: "steer-Hurry" })
      .text("Second.", 2)
      .done();
    await waitFor(() => expect(document.querySelector("[data-part=message]")!.getAttribute("data-state")).toBe("done"));
    const shown = document.querySelector("[data-part=answer]")!.textContent!;
    const places = ["First.", "Bash", "a.txt", "Hurry", "Second."].map((text) => shown.indexOf(text));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThanOrEqual(0);
    expect(part("tool-status")).toBe("ok");
    expect(part("announcer")).toBe("First.Second.");
  });

  it("show a subagent's calls in the call that started it, a failure, and its retry", async () => {
    server.onChat = (call) =>
      call
        .open()
        .say(START, UP, calls("t1", "Agent", {}), calls("t2", "Read", {}, { parent: "t1" }))
        .say({ type: "error", code: "overloaded", message: "Busy.", retryable: true })
        .end();
    render(<Page />);
    say("Go");
    expect((await screen.findByRole("alert")).textContent).toBe("Busy.");
    const nested = document.querySelector("[data-part=tool] [data-part=tool]")!;
    expect(nested.getAttribute("aria-label")).toBe("Tool Read");
    expect(nested.getAttribute("data-status")).toBe("unfinished");
    fireEvent.click(screen.getByRole("button", { name: "Retry" }));
    await waitFor(() => expect(server.posts).toHaveLength(2));
  });

  it("can be replaced", async () => {
    server.onChat = (call) => call.open().say(START, UP, calls("t1", "Read", {})).text("*Done.*").done();
    const parts = {
      Text: ({ text }: { text: string }) => <em>{text.replaceAll("*", "")}</em>,
      ToolCard: ({ call }: { call: { name: string } }) => <b>{call.name}!</b>,
    };
    render(<Page parts={parts} />);
    say("Go");
    await screen.findByText("Done.", { selector: "em" });
    screen.getByText("Read!");
    expect(part("tool")).toBeUndefined();
  });

  it("ask for permission and put questions", async () => {
    server.onChat = (call) => call.open().say(START, UP, asks(1, "Write", { file: "a" }), inquires(2, [CITY]));
    render(<Page />);
    say("Go");
    fireEvent.click(await screen.findByRole("button", { name: "Approve" }));
    await waitFor(() => expect(server.decisions[0]?.body).toEqual({ behavior: "allow" }));
    fireEvent.click(screen.getByRole("radio", { name: "Graz" }));
    fireEvent.click(screen.getByRole("button", { name: "Answer" }));
    await waitFor(() => expect(server.answers[0]?.body).toEqual({ answers: { "Which city?": "Graz" } }));
  });
});

describe("the hooks for what is asked", () => {
  it("have what is open, how long, and the means to answer it", async () => {
    server.onChat = (call) => call.open().say(START, UP, asks(1, "Write", {}), inquires(2, [CITY]));
    render(<Page own />);
    say("Go");
    const own = await screen.findByTestId("own");
    expect(own.textContent).toMatch(/^Write open 1[12]\d/);
    fireEvent.click(screen.getByRole("button", { name: "No" }));
    await waitFor(() => expect(server.decisions[0]?.body).toEqual({ behavior: "deny", message: "Not now." }));
    await waitFor(() => expect(own.textContent).toMatch(/^Write answered/));
    fireEvent.click(screen.getByRole("button", { name: "Yes" }));
    fireEvent.click(screen.getByRole("button", { name: "Say Graz" }));
    await waitFor(() => expect(server.answers[0]?.body).toEqual({ answers: { "Which city?": "Graz" } }));
    expect(server.decisions).toHaveLength(1);
    server.posts[0]!.say(settles(1, "deny", "client"), { type: "question_resolved", question_id: "q2", by: "client" });
    await waitFor(() => expect(screen.queryByTestId("own")).toBeNull());
    expect(screen.queryByRole("button", { name: "Say Graz" })).toBeNull();
  });
});
