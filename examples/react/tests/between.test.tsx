/** What happens while an agent works: what its tools print, what it asks, and what it is told. */
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { StrictMode } from "react";
import { describe, expect, it } from "vitest";
import { Chat } from "../src/Chat";
import { Task } from "../src/Task";
import { serveEachTest, server } from "../../../packages/react/tests/hook.js";
import { type Call, RUN, START, UP } from "../../../packages/react/tests/server.js";
import { calls, ends, inquires, prints, results } from "../../../packages/react/tests/taskEvents.js";

serveEachTest();

const box = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
const type = (value: string) => fireEvent.change(box(), { target: { value } });
const send = (text: string) => {
  type(text);
  fireEvent.keyDown(box(), { key: "Enter" });
};
const open = (Page: typeof Chat | typeof Task, base: string) =>
  render(
    <StrictMode>
      <Page base={base} />
    </StrictMode>,
  );

/** Types a task; what the server says to it is up to `tell`. */
async function start(tell: (call: Call) => unknown, { Page = Task, prompt = "Do it", worker = "agent-task" } = {}) {
  server.onChat = (call) => tell(call.open().say({ ...START, worker }));
  const page = open(Page, Page === Task ? server.taskBase : server.base);
  send(prompt);
  await waitFor(() => expect(server.posts).toHaveLength(1));
  return { run: server.posts[0]!, ...page };
}

const reaches = (state: string) => waitFor(() => expect(screen.getByTestId("status").dataset.state).toBe(state));
const card = (name: string) => screen.findByRole("group", { name: `Tool ${name}` });
const status = async (name: string) => within(await card(name)).getByTestId("tool-status").textContent;
const printed = () => screen.getByLabelText("output");

describe("what a tool prints", () => {
  it("is in its card while it runs, line by line, with the last state of a line and its colours", async () => {
    const { run } = await start((call) =>
      call
        .say(prints("t1", "early\n"))
        .say(calls("t1", "Bash", { command: "make" }))
        .say(prints("t1", "10%\r"), prints("t1", "99%\n\x1b[32mgood\x1b[0m\n"), prints("t1", "oh\n", "stderr")),
    );
    await waitFor(() => expect(printed().textContent).toBe("early\n99%\ngood\noh\n"));
    expect(await status("Bash")).toBe("running");
    expect(printed().querySelector(".green")!.textContent).toBe("good");
    expect(printed().querySelector(".stderr")!.textContent).toBe("oh");
    run.say(prints("t1", "<img src=x>\x1b]8;;javascript:alert(1)\x07click", "stdout", 4096));
    await screen.findByText(/4,096 more bytes were printed/);
    expect(printed().textContent).toContain("<img src=x>click");
    expect(printed().querySelector("img, a")).toBeNull();
  });

  it("is not repeated by the same result, but followed by another one and the duration", async () => {
    await start((call) =>
      call
        .say(calls("t1", "Bash", {}, { ms: 0 }), prints("t1", "\x1b[1m42\x1b[0m tests\n"), results("t1", "\x1b[1m42\x1b[0m tests", { ms: 700 }))
        .say(calls("t2", "Write", {}), prints("t2", "half"), results("t2", "Exit code 3\n\x1b[31mhalf\x1b[0m", { status: "error" })),
    );
    const bash = await card("Bash");
    await within(bash).findByText("0.7 s");
    expect(within(bash).queryByLabelText("result")).toBeNull();
    expect(within(bash).getByLabelText("output").textContent).toBe("42 tests\n");
    expect(within(await card("Write")).getByLabelText("result").textContent).toBe("Exit code 3\nhalf");
  });

  it("stays bounded, and says what is left out", async () => {
    await start((call) => {
      call.say(calls("t1", "Bash", {}));
      for (let at = 0; at < 4; at++) call.say(prints("t1", "y\n".repeat(25_000)));
    });
    const bash = await card("Bash");
    const LEFT = "99,500 lines before these are not shown.";
    await waitFor(() => expect(bash.querySelector(".note")?.textContent).toBe(LEFT));
    expect(printed().querySelectorAll(".line")).toHaveLength(500);
  });

  it("keeps its end in sight, but takes nothing out of the reader's sight", async () => {
    const { run } = await start((call) => call.say(calls("t1", "Bash", {}), prints("t1", "one\n")));
    await waitFor(() => expect(printed().textContent).toBe("one\n"));
    const pre = printed();
    let height = 1000;
    Object.defineProperty(pre, "scrollHeight", { get: () => height });
    Object.defineProperty(pre, "clientHeight", { value: 100 });
    run.say(prints("t1", "two\n"));
    await waitFor(() => expect(pre.scrollTop).toBe(1000));
    pre.scrollTop = 300;
    fireEvent.scroll(pre);
    height = 2000;
    run.say(prints("t1", "three\n"));
    await waitFor(() => expect(pre.textContent).toContain("three"));
    expect(pre.scrollTop).toBe(300);
  });

  it("comes once, though the stream is read again after a lost connection", async () => {
    const events = [calls("t1", "Bash", {}), prints("t1", "one\n"), prints("t1", "two\n")];
    server.onResume = (call) => call.open(0).say(START, ...events, results("t1", "done"), ends({})).end();
    const { run } = await start((call) => call.say(...events.slice(0, 2)));
    await waitFor(() => expect(printed().textContent).toBe("one\n"));
    run.cut();
    await reaches("done");
    expect(printed().textContent).toBe("one\ntwo\n");
  });
});

describe("a question of the agent", () => {
  const WHICH = {
    question: "Which partner?",
    header: "Partner",
    options: [{ label: "Murtal GmbH", description: "Graz" }, { label: "Ennstal AG" }],
    multi: false,
  };
  const DAYS = { question: "Which days?", options: [{ label: "Mon" }, { label: "Tue" }, { label: "Wed" }], multi: true };
  const ask = (...items: (typeof WHICH | typeof DAYS)[]) =>
    start((call) => call.say(calls("t1", "AskUserQuestion", { questions: [] }), inquires(1, items)));
  const form = () => screen.findByRole<HTMLFormElement>("dialog");
  const resolved = (by: "client" | "timeout" | "abort", actor?: string) =>
    ({ type: "question_resolved", question_id: "q1", by, actor }) as const;

  it("is a form of choices with a countdown, which takes the keyboard and is sent once", async () => {
    const { run } = await ask(WHICH, DAYS);
    const asked = await form();
    expect(document.activeElement).toBe(asked);
    expect(within(asked).getByTestId("countdown").textContent).toMatch(/^(2:00|1:5\d) left, then the agent goes on/);
    const which = within(asked).getByRole("group", { name: /Which partner\?/ });
    const murtal = within(which).getByRole("radio", { name: /^Murtal GmbH/ });
    within(which).getByText("Graz");
    fireEvent.submit(asked);
    expect(within(which).getByRole("alert").textContent).toMatch(/^Choose an answer/);
    expect(document.activeElement).toBe(murtal);
    fireEvent.click(murtal);
    expect(within(which).queryByRole("alert")).toBeNull();
    fireEvent.submit(asked);
    within(asked).getByText("Choose an answer, or write one.");
    fireEvent.click(within(asked).getByRole("checkbox", { name: "Wed" }));
    fireEvent.click(within(asked).getByRole("checkbox", { name: "Mon" }));
    fireEvent.change(within(asked).getByLabelText("Other answer to: Which days?"), { target: { value: " or Sunday " } });
    expect(server.answers).toHaveLength(0);
    fireEvent.submit(asked);
    fireEvent.submit(asked);
    await within(asked).findByText("Your answer has arrived.");
    expect(server.answers).toHaveLength(1);
    expect(server.answers[0]!.path).toBe(`/task/${RUN}/answers/q1`);
    expect(server.answers[0]!.body).toEqual({
      answers: { "Which partner?": "Murtal GmbH", "Which days?": ["Mon", "Wed", "or Sunday"] },
    });
    expect(await status("Question")).toBe("waits for you");
    run.say(resolved("client", "user-17"), results("t1", "The user has answered."));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    within(await card("Question")).getByText("Answered by you.");
    within(await card("Question")).getByText("Mon, Wed, or Sunday");
    expect(document.activeElement).toBe(box());
  });

  it("may be called as what every object has", async () => {
    const { run } = await ask({ ...WHICH, question: "constructor" }, { ...DAYS, question: "__proto__" });
    const asked = await form();
    fireEvent.click(within(asked).getByRole("radio", { name: "Ennstal AG" }));
    fireEvent.click(within(asked).getByRole("checkbox", { name: "Mon" }));
    fireEvent.submit(asked);
    await within(asked).findByText("Your answer has arrived.");
    expect(JSON.stringify(server.answers[0]!.body)).toBe('{"answers":{"constructor":"Ennstal AG","__proto__":["Mon"]}}');
    run.say(resolved("client"));
    within(await card("Question")).getByText("Mon");
  });

  it("takes a text of one's own in place of a choice", async () => {
    await ask(WHICH);
    const asked = await form();
    fireEvent.click(within(asked).getByRole("radio", { name: "Ennstal AG" }));
    fireEvent.click(within(asked).getByRole("radio", { name: "Other" }));
    fireEvent.submit(asked);
    expect(within(asked).getByRole("alert").textContent).toMatch(/^Write your answer/);
    fireEvent.change(within(asked).getByLabelText(/^Other answer/), { target: { value: "Neither" } });
    fireEvent.submit(asked);
    await within(asked).findByText("Your answer has arrived.");
    expect(server.answers[0]!.body).toEqual({ answers: { "Which partner?": "Neither" } });
  });

  it.each([
    ["client", "user-17", "Answered by user-17."],
    ["client", undefined, "Answered elsewhere."],
    ["timeout", undefined, "Nobody answered in time. The agent went on without an answer."],
    ["abort", undefined, "Not answered: the run was stopped."],
  ] as const)("that is settled (%s, %s) says how", async (by, actor, words) => {
    const { run } = await ask(WHICH);
    await form();
    run.say(resolved(by, actor));
    within(await card("Question")).getByText("Which partner?");
    await within(await card("Question")).findByText(words);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("that the server does not take stays open, and closes with the run", async () => {
    server.onAnswer = (call) => call.refuse(422, { message: "That is no answer." });
    await ask(WHICH);
    const asked = await form();
    fireEvent.click(within(asked).getByRole("radio", { name: "Ennstal AG" }));
    fireEvent.submit(asked);
    await within(asked).findByText(/Your answer was not taken: That is no answer\./);
    server.onAnswer = (call) => call.accept();
    fireEvent.submit(asked);
    await within(asked).findByText("Your answer has arrived.");
    fireEvent.click(screen.getByRole("button", { name: "Stop" }));
    expect(screen.queryByRole("dialog")).toBeNull();
    within(await card("Question")).getByText("Not answered: the run ended.");
  });
});

describe("a word in between", () => {
  const steers = () => screen.getAllByTestId("steer").map((each) => each.className);

  it("goes to the run while the agent works, waits, and is marked when it was read", async () => {
    const { run } = await start((call) => call.say(calls("t1", "Bash", {})));
    await card("Bash");
    send("Use the other file.");
    expect(box().value).toBe("");
    await screen.findByText("Waiting to be read.");
    const [{ body, path }] = server.steers as [Call];
    expect(path).toBe(`/task/${RUN}/steer`);
    expect(body).toEqual({ text: "Use the other file." });
    expect(server.posts).toHaveLength(1);
    run.say({ type: "steered", id: "steer-Use the other file.", actor: "user-17" });
    await screen.findByText(/^Read\./);
    screen.getByText("(user-17)");
    run.say(results("t1", "ok")).text("I did.", 2).say(ends({})).end();
    await reaches("done");
    expect(steers()).toEqual(["read"]);
    const order = screen.getAllByTestId(/^(answer|tool|steer)$/).map((each) => each.dataset.testid);
    expect(order).toEqual(["tool", "steer", "answer"]);
    expect(screen.queryByRole("button", { name: /next message/ })).toBeNull();
  });

  it("that came before the run is known is sent with it", async () => {
    let begin = (): unknown => undefined;
    server.onChat = (call) => (begin = () => call.open().say(START));
    open(Task, server.taskBase);
    send("Do it");
    await waitFor(() => expect(server.posts).toHaveLength(1));
    send("And be quick.");
    screen.getByText("Sending…");
    begin();
    await screen.findByText("Waiting to be read.");
    expect(server.steers.map(({ body }) => body.text)).toEqual(["And be quick."]);
  });

  it.each([
    ["refused", (run: Call) => run.say({ type: "ack", id: "steer-Wait!", ok: false, code: "too_late" }).say(ends({})).end()],
    ["never read", (run: Call) => run.say(ends({})).end()],
  ])("that is %s can be sent as the next message", async (_, finish) => {
    const { run } = await start((call) => call.text("Nearly done."));
    await screen.findByText("Nearly done.");
    send("Wait!");
    await screen.findByText("Waiting to be read.");
    finish(run);
    await reaches("done");
    expect(steers()).toEqual(["late"]);
    fireEvent.click(screen.getByRole("button", { name: "Send as the next message" }));
    await waitFor(() => expect(server.posts).toHaveLength(2));
    expect(server.posts[1]!.body.prompt).toBe("Wait!");
    expect(screen.queryByRole("button", { name: /next message/ })).toBeNull();
  });

  it("that the server does not take says why and can be said again, or is too late where the run is over", async () => {
    const answers = [503, 410];
    server.onSteer = (call) => {
      const status = answers.shift();
      if (status) call.refuse(status, { message: "Try again in a moment.", code: "run_busy" });
      else call.take("s");
    };
    await start((call) => call.text("Working."));
    await screen.findByText("Working.");
    send("one");
    await screen.findByText(/^Not sent\. Try again in a moment\./);
    send("two");
    await screen.findByText(/^Too late/);
    expect(steers()).toEqual(["failed", "late"]);
    fireEvent.click(screen.getByRole("button", { name: "Send again" }));
    await screen.findByText("Waiting to be read.");
    expect(steers()).toEqual(["late", "waiting"]);
  });

  it("that was read before the server has answered is marked as soon as it has", async () => {
    let answer = (): unknown => undefined;
    server.onSteer = (call) => (answer = () => call.take("s1"));
    const { run } = await start((call) => call.say(calls("t1", "Bash", {})));
    await card("Bash");
    send("Quick");
    await waitFor(() => expect(server.steers).toHaveLength(1));
    run.say({ type: "steered", id: "s1" }, ends({})).end();
    await reaches("done");
    expect(steers()).toEqual(["sending"]);
    answer();
    await waitFor(() => expect(steers()).toEqual(["read"]));
  });

  it("outlives a reload, with what became of it, also where the server's answer is lost", async () => {
    const first = await start((call) => call.say(calls("t1", "Bash", {})));
    await card("Bash");
    send("read me");
    await screen.findByText("Waiting to be read.");
    server.onSteer = () => {};
    send("me too");
    send("me not");
    await waitFor(() => expect(server.steers).toHaveLength(3));
    first.unmount();
    const read = [
      { type: "steered", id: "steer-read me" },
      { type: "steered", id: "of this run alone" },
    ] as const;
    server.onResume = (call) => call.open(0).say(START, calls("t1", "Bash", {}), ...read);
    open(Task, server.taskBase);
    await waitFor(() => expect(steers()).toEqual(["read", "read", "waiting"]));
    expect(server.steers).toHaveLength(3);
    server.resumes.at(-1)!.say(ends({})).end();
    await waitFor(() => expect(steers()).toEqual(["read", "read", "late"]));
  });
});

describe("a tool that a person runs", () => {
  const failed = (retryable?: boolean) => (call: Call) =>
    call
      .say(calls("t1", "find_partner", { city: "Graz" }), prints("t1", "Looking…\n"))
      .say({ ...results("t1", "The register is closed.", { status: "error", ms: 1200 }), retryable })
      .say(ends({ session_id: undefined, text: "", turns: 0, usage: {} }))
      .end();
  const BY_PERSON = { Page: Chat, prompt: "/find_partner city=Graz", worker: "agent-tool" };
  const run = (tell: (call: Call) => unknown) => start(tell, BY_PERSON);

  it("shows what went wrong, and runs again", async () => {
    await run(failed(true));
    const failure = await card("find_partner");
    await within(failure).findByText("The same call may succeed later.");
    expect(within(failure).getByLabelText("result").textContent).toBe("The register is closed.");
    within(failure).getByText("1.2 s");
    await reaches("done");
    server.onChat = (call) => {
      call.open().say({ ...START, worker: "agent-tool" }, calls("t1", "find_partner", {}), results("t1", "Murtal"));
      call.say(ends({ text: "Murtal", turns: 0 })).end();
    };
    fireEvent.click(within(failure).getByRole("button", { name: "Try again" }));
    await within(await card("find_partner")).findByText("Murtal");
    expect(server.posts.map(({ body }) => body.prompt)).toEqual(Array(2).fill("/find_partner city=Graz"));
    await reaches("done");
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
    expect(screen.queryByTestId("answer")).toBeNull(); // the card has the result
    expect(screen.getByTestId("announcer").textContent).toBe("Murtal");
  });

  it("that died midway says so once, with one retry", async () => {
    const message = "The MCP server crm ended while it ran the tool.";
    const died = { ...results("t1", message, { status: "error" }), retryable: true };
    const error = { type: "error", code: "mcp_unavailable", message, retryable: true } as const;
    await run((call) => call.say(calls("t1", "mcp__crm__search", {}), prints("t1", "1 of 3\n"), died, error).end());
    await reaches("error");
    expect(printed().textContent).toBe("1 of 3\n");
    expect(screen.getByRole("alert").className).toBe("for-ears");
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(server.posts).toHaveLength(2));
  });

  it("shows JSON of the application's own in lines", async () => {
    await run((call) => call.say(calls("t1", "mcp__app__find", {}), results("t1", '[{"name":"Murtal"}]')));
    await waitFor(() => expect(screen.getByLabelText("result").textContent).toBe('[\n  {\n    "name": "Murtal"\n  }\n]'));
  });

  it("has no retry where the same call would fail again", async () => {
    await run(failed(false));
    await within(await card("find_partner")).findByText("The same call would fail again.");
    await reaches("done");
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
  });

  it("has no agent that reads a word", async () => {
    await run((call) => call.say(calls("t1", "find_partner", {})));
    await card("find_partner");
    send("Hurry");
    expect(box().value).toBe("Hurry");
    expect(server.steers).toEqual([]);
  });

  it("is told apart from those of an agent, which retries them itself", async () => {
    await start((call) => call.say(UP).say(calls("t1", "Bash", {})).say(results("t1", "no", { status: "error" }), ends({})).end());
    await reaches("done");
    within(await card("Bash")).getByText("no");
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
  });

  it("whose command is wrong says what, and what it may have been", async () => {
    const detail = { pointer: "/input/town", message: "is no argument of find_partner.", did_you_mean: "city" };
    const wrong = { code: "invalid_request", message: "The command is wrong.", retryable: false, details: [detail] };
    await run((call) => call.say({ type: "error", ...wrong }).end());
    await screen.findByText("The command is wrong.");
    screen.getByText(/is no argument of find_partner\. Did you mean city\?/);
  });

  it("answered from a record says so", async () => {
    await run((call) => call.say(calls("t1", "pay", {}), { ...results("t1", "paid", { ms: 9 }), replayed: true }));
    await within(await card("pay")).findByText(/nothing was done again/);
  });
});
