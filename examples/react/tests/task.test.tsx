import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { StrictMode } from "react";
import { describe, expect, it, vi } from "vitest";
import { Task } from "../src/Task";
import { forward } from "../../../packages/react/tests/clock.js";
import { serveEachTest, server } from "../../../packages/react/tests/hook.js";
import { type Call, RUN, START } from "../../../packages/react/tests/server.js";
import { asks, at, calls, ends, results, settles } from "../../../packages/react/tests/taskEvents.js";

serveEachTest();

/** Types a task and sends it; what the server says to it is up to `onChat`. */
async function start(tell?: (call: Call) => unknown) {
  server.onChat = (call) => tell?.(call.open().say(START));
  render(
    <StrictMode>
      <Task base={server.taskBase} />
    </StrictMode>,
  );
  const textbox = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
  textbox.focus();
  fireEvent.change(textbox, { target: { value: "Do it" } });
  fireEvent.click(screen.getByRole("button", { name: "Send" }));
  await waitFor(() => expect(server.posts).toHaveLength(1));
  return { textbox, run: server.posts[0]! };
}

const reaches = (state: string) => waitFor(() => expect(screen.getByTestId("status").dataset.state).toBe(state));
const card = (name: string) => screen.findByRole("group", { name: `Tool ${name}` });
const textIn = (element: HTMLElement, name: string) => within(element).getByLabelText(name).textContent;
const statusOf = (element: HTMLElement) => within(element).getByTestId("tool-status").textContent;
const dialogs = () => screen.queryAllByRole("alertdialog");
const dialog = (about: string) => screen.findByRole("alertdialog", { name: about });
const MAY_BASH = "May the agent run this command?";
const press = (within_: HTMLElement, name: string) => fireEvent.click(within(within_).getByRole("button", { name }));

describe("the cards of a task", () => {
  it("show each call in its place between the texts, with its input, result and duration", async () => {
    const { run } = await start((call) =>
      call
        .text("Let me look. ")
        .say(calls("t1", "Read", { file_path: "notes.txt" }, { ms: 100 }))
        .say(calls("t2", "Bash", { command: "false" }, { ms: 150 })),
    );
    const read = await card("Read");
    expect(textIn(read, "input")).toBe("notes.txt");
    expect(read.querySelector("summary")!.textContent).toMatch(/^Readingnotes.txt/);
    expect(read.querySelector("details")!.open).toBe(false);
    expect(statusOf(read)).toBe("running");
    run.say(results("t1", "milk", { ms: 1400 }), results("t2", "exit 1", { ms: 1500, status: "error" }));
    run.text("Milk it is.", 2).say(ends({ text: "Milk it is." })).end();
    await reaches("done");
    expect(statusOf(read)).toBe("done");
    expect(textIn(read, "result")).toBe("milk");
    within(read).getByText("1.3 s");
    expect(statusOf(await card("Bash"))).toBe("failed");
    const parts = screen.getAllByTestId(/^(answer|tool)$/);
    const order = parts.map((part) => part.getAttribute("aria-label") ?? part.textContent);
    expect(order).toEqual(["Let me look.", "Tool Read", "Tool Bash", "Milk it is."]);
  });

  it("come before the answer where no deltas came", async () => {
    await start((call) => call.say(calls("t1", "Read", {}), ends({ text: "All at once." })).end());
    await reaches("done");
    const order = screen.getAllByTestId(/^(answer|tool)$/).map((part) => part.dataset.testid);
    expect(order).toEqual(["tool", "answer"]);
  });

  it("show the beginning of a long input and result, and all of it on request", async () => {
    const long = Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n");
    await start((call) =>
      call.say(calls("t1", "Fetch", { content: "x".repeat(5000) })).say(results("t1", long, { cut: 70_000 })),
    );
    const write = await card("Fetch");
    expect(textIn(write, "input")!.length).toBeLessThan(1000);
    expect(textIn(write, "result")).toMatch(/line 11…$/);
    within(write).getByText("70,000 more bytes of the result were left out.");
    const more = within(write).getByRole("button", { name: /^The whole result/ });
    expect(more.getAttribute("aria-expanded")).toBe("false");
    fireEvent.click(more);
    expect(textIn(write, "result")).toBe(long);
    expect(textIn(write, "input")!.length).toBeLessThan(1000);
    press(write, "Less of the result");
    expect(textIn(write, "result")).not.toBe(long);
  });

  it("of a subagent stand below the call that started it", async () => {
    await start((call) =>
      call
        .say(calls("t1", "Agent", { prompt: "Look" }))
        .say({ type: "task", task_id: "a", status: "started", description: "Look around", tool_use_id: "t1" })
        .say(calls("t2", "Grep", {}, { parent: "t1" }), calls("t3", "Bash", {}))
        .say(calls("t4", "Glob", {}, { parent: "t2" }), calls("t5", "Read", {}, { parent: "unheard of" }))
        .say(results("t2", "found", { parent: "t1" }))
        .say({ type: "task", task_id: "a", status: "completed", description: "Look around", tool_use_id: "t1" }),
    );
    const agent = await card("Agent");
    await within(agent).findByText("Look around (done)");
    expect(within(agent).queryByText("Look around (at work)")).toBeNull();
    const inside = within(agent).getAllByTestId("tool");
    expect(inside.map((each) => each.getAttribute("aria-label"))).toEqual(["Tool Grep", "Tool Glob"]);
    within(await card("Grep")).getByText("found");
    expect(screen.getAllByTestId("tool")).toHaveLength(5);
    expect(agent.contains(await card("Bash"))).toBe(false);
    expect(agent.contains(await card("Read"))).toBe(false);
  });

  it("give a tool of the application its plain name, and leave its own event alone", async () => {
    await start((call) =>
      call
        .say(calls("t1", "mcp__app__find_partner", { city: "Graz" }))
        .say({ type: "app_tool_call", call_id: "c", name: "find_partner", input: {}, expires_at: at(9000) })
        .say(calls("t2", "mcp__github__search", {})),
    );
    within(await card("find_partner")).getByText("application");
    expect(within(await card("mcp__github__search")).queryByText("application")).toBeNull();
    expect(screen.getAllByTestId("tool")).toHaveLength(2);
  });

  it("whose result never came are told apart from those that run", async () => {
    const { run } = await start((call) => call.say(calls("t1", "Bash", {})));
    const bash = await card("Bash");
    expect(statusOf(bash)).toBe("running");
    run.say({ type: "aborted", reason: "signal" }).end();
    await reaches("stopped");
    expect(statusOf(bash)).toBe("not finished");
  });

  it("say that a call waits, not that it runs, while its question is open", async () => {
    const { run } = await start((call) => call.say(calls("t1", "Bash", {}), asks(1, "Bash", {})));
    const bash = await card("Bash");
    await dialog(MAY_BASH);
    expect(statusOf(bash)).toBe("waits for you");
    run.say(settles(1, "allow", "client"));
    await waitFor(() => expect(statusOf(bash)).toBe("running"));
  });

  it("show the model's input and the tool's result as text, with nothing hidden in the input", async () => {
    const evil = "<img src=x onerror=alert(1)>";
    await start((call) =>
      call
        .say(calls("t1", "Bash", { command: `${evil}rm \u202Efdp\u{E0041}\u3164` }))
        .say(results("t1", evil), { type: "x_new" }),
    );
    const bash = await card("Bash");
    expect(textIn(bash, "input")).toContain(`${evil}rm \\u202efdp\\udb40\\udc41\\u3164`);
    expect(textIn(bash, "result")).toBe(evil);
    expect(bash.querySelector("img")).toBeNull();
  });

  it("are followed by what was not allowed, what waits, and what it took", async () => {
    const denied = { name: "Bash", input: {} };
    await start((call) =>
      call
        .say(
          ends({
            stop_reason: "permission_required",
            denials: [
              { tool_use_id: "t1", ...denied },
              { tool_use_id: "t2", ...denied },
              { tool_use_id: "t3", name: "mcp__app__pay" },
            ],
            pending: { tool_use_id: "t4", name: "Write" },
          }),
        )
        .end(),
    );
    await reaches("done");
    screen.getByText("Not allowed: Bash (2), pay.");
    screen.getByText("Waits for a decision: Write.");
    expect(screen.getByTestId("numbers").textContent).toBe("2.5 s");
    screen.getByTitle("10 tokens in · about $0.0123");
  });
});

describe("a question", () => {
  const one = (call: Call) =>
    call
      .say(calls("t1", "Bash", { command: "rm -r build" }, { ms: 100 }))
      .say(asks(1, "Bash", { command: "rm -r build" }, { ms: 200, reason: "It deletes files." }));

  it("is put with tool, input, reason and the time that is left", async () => {
    await start(one);
    const question = await dialog(MAY_BASH);
    within(question).getByText("It deletes files.");
    expect(textIn(question, "input")).toBe("rm -r build");
    expect(within(question).getByTestId("countdown").textContent).toMatch(/^(2:00|1:5\d) left, then it is denied$/);
    within(await card("Bash")).getByText("Waits for your answer.");
  });

  it("counts down to its end, however wrong the browser's clock is", async () => {
    await start((call) => call.say(asks(1, "Bash", {}, { expiresMs: 60_000 })));
    const question = await dialog(MAY_BASH);
    expect(within(question).getByTestId("countdown").textContent).toMatch(/^(1:00|0:[45]\d) left, then it is denied$/);
    forward(30_000);
    await within(question).findByText(/^0:(30|[12]\d) left, then it is denied$/);
    forward(30_000);
    await within(question).findByText("The time is up.");
  });

  it("is answered by one POST, with the page's token, and closes when the run says so", async () => {
    document.head.innerHTML = '<meta name="csrf-token" content="t0ken">';
    const { run, textbox } = await start(one);
    const question = await dialog(MAY_BASH);
    const approve = within(question).getByRole("button", { name: "Allow" });
    fireEvent.click(approve);
    fireEvent.click(approve);
    press(question, "Deny");
    expect(within(question).queryByRole("textbox")).toBeNull();
    await within(question).findByText("Your answer has arrived.");
    document.head.innerHTML = "";
    fireEvent.click(approve);
    expect(server.decisions).toHaveLength(1);
    const [sent] = server.decisions;
    expect(sent!.path).toBe(`/task/${RUN}/permissions/p1`);
    expect(sent!.body).toEqual({ behavior: "allow" });
    expect(sent!.headers).toMatchObject({
      accept: "application/json",
      "content-type": "application/json",
      "x-csrf-token": "t0ken",
    });
    expect(dialogs()).toHaveLength(1);
    run.say(settles(1, "allow", "client", 30_000), results("t1", "", { ms: 30_400 }));
    await waitFor(() => expect(dialogs()).toEqual([]));
    const bash = await card("Bash");
    within(bash).getByText("Approved by you.");
    within(bash).getByText("No output.");
    within(bash).getByText("0.4 s"); // not the half minute in which nobody answered
    expect(screen.getByTestId("announcer").textContent).toBe("Bash: Approved by you.");
    expect(document.activeElement).toBe(textbox);
  });

  it("is denied with a word to the agent, also by Enter", async () => {
    const { run } = await start(one);
    const question = await dialog(MAY_BASH);
    press(question, "Deny");
    const why = within(question).getByLabelText("Why not");
    expect(document.activeElement).toBe(why);
    expect(server.decisions).toEqual([]);
    fireEvent.change(why, { target: { value: " Not that folder. " } });
    fireEvent.submit(why);
    await within(question).findByText("Your answer has arrived.");
    expect(server.decisions[0]!.body).toEqual({ behavior: "deny", message: "Not that folder." });
    run.say(settles(1, "deny", "client"), results("t1", "Not that folder.", { status: "denied", ms: 500 }));
    await waitFor(() => expect(dialogs()).toEqual([]));
    const bash = await card("Bash");
    within(bash).getByText("Denied by you.");
    expect(statusOf(bash)).toBe("not allowed");
    expect(within(bash).queryByText(/ s$/)).toBeNull();
  });

  it.each([
    ["deny", "timeout", "Denied: nobody answered in time."],
    ["deny", "policy", "Denied by a rule."],
    ["allow", "policy", "Approved by a rule."],
    ["deny", "abort", "Denied: the run was stopped."],
    ["allow", "client", "Approved elsewhere."],
  ] as const)("that others settle (%s by %s) closes with a word on why", async (behavior, by, words) => {
    const { run } = await start(one);
    await dialog(MAY_BASH);
    run.say(settles(1, behavior, by));
    await waitFor(() => expect(dialogs()).toEqual([]));
    within(await card("Bash")).getByText(words);
  });

  it("takes the keyboard, but from nobody who writes, and no key answers it by itself", async () => {
    const { run, textbox } = await start(one);
    const question = await dialog(MAY_BASH);
    expect(document.activeElement).toBe(question);
    for (const key of ["Escape", "Enter", " "]) {
      fireEvent.keyDown(question, { key });
      fireEvent.keyUp(question, { key });
    }
    expect(dialogs()).toEqual([question]);
    run.say(settles(1, "deny", "timeout"));
    await waitFor(() => expect(dialogs()).toEqual([]));
    expect(document.activeElement).toBe(textbox);
    fireEvent.change(textbox, { target: { value: "And then" } });
    run.say(asks(2, "Bash", {}));
    await dialog(MAY_BASH);
    expect(document.activeElement).toBe(textbox);
    expect(server.decisions).toEqual([]);
  });

  it("whose answer does not arrive says so, and can be answered again", async () => {
    const refusals = [419, 500];
    server.onDecision = (call) => {
      const status = refusals.shift();
      if (status) call.refuse(status);
      else call.accept();
    };
    await start(one);
    const question = await dialog(MAY_BASH);
    press(question, "Allow");
    const alert = await within(question).findByRole("alert");
    expect(alert.textContent).toMatch(/^Your answer was not taken: The page has expired\. .*\(page_expired\)$/);
    press(question, "Deny");
    press(question, "Deny");
    await within(question).findByText(/\(server_error\)/);
    press(question, "Back");
    press(question, "Allow");
    await within(question).findByText("Your answer has arrived.");
    expect(within(question).queryByRole("alert")).toBeNull();
    expect(server.decisions.map(({ body }) => body.behavior)).toEqual(["allow", "deny", "allow"]);
  });

  it("whose answer was lost on the way says so, though it may have arrived", async () => {
    server.onDecision = (call) => call.cut();
    const { run } = await start(one);
    const question = await dialog(MAY_BASH);
    press(question, "Allow");
    expect((await within(question).findByRole("alert")).textContent).toContain("(network)");
    run.say(settles(1, "allow", "client"));
    await waitFor(() => expect(dialogs()).toEqual([]));
    within(await card("Bash")).getByText("Approved.");
  });

  it("warns where not all of the input is shown, and shows a long one whole", async () => {
    const content = "x".repeat(5000);
    await start((call) => call.say(asks(1, "Write", { content }, { cut: 9000 })));
    const question = await dialog("May the agent use Write?");
    within(question).getByText(/^This is not all of it: 9,000 bytes were left out\./);
    expect(textIn(question, "input")).toContain(content);
  });

  it("of a subagent says so", async () => {
    await start((call) =>
      call.say(calls("t0", "Agent", {}), calls("t1", "Bash", {}, { parent: "t0" })).say(asks(1, "Bash", {})),
    );
    await dialog("May a subagent run this command?");
  });

  it("before its call, or of a call that is never told, is settled in sight as well", async () => {
    const { run } = await start((call) => call.say(asks(1, "Bash", {}), asks(2, "Write", {})));
    await waitFor(() => expect(dialogs()).toHaveLength(2));
    run.say(settles(1, "deny", "policy"), settles(2, "deny", "timeout"), calls("t1", "Bash", {}));
    within(await card("Bash")).getByText("Denied by a rule.");
    screen.getByText("Write: Denied: nobody answered in time.", { selector: ".note" });
  });

  it("closes when the run is stopped, and so does the way to answer", async () => {
    const { textbox, run } = await start(one);
    const question = await dialog(MAY_BASH);
    const approve = within(question).getByRole("button", { name: "Allow" });
    fireEvent.click(screen.getByRole("button", { name: "Stop" }));
    expect(dialogs()).toEqual([]);
    fireEvent.click(approve);
    await run.gone;
    expect(server.decisions).toEqual([]);
    expect(document.activeElement).toBe(textbox);
    within(await card("Bash")).getByText("Not answered: the run ended.");
  });

  it("stays open while a lost connection is resumed", async () => {
    server.onResume = (call) => call.open(3).say(settles(1, "allow", "client")).say(ends({})).end();
    const { run } = await start(one);
    await dialog(MAY_BASH);
    run.cut();
    await reaches("done");
    expect(server.resumes[0]!.path).toBe(`/task/${RUN}/events`);
    within(await card("Bash")).getByText("Approved elsewhere.");
  });
});

describe("several questions at once", () => {
  const two = (call: Call) =>
    call
      .say(calls("t1", "Bash", { command: "one" }), calls("t2", "Bash", { command: "two" }))
      .say(asks(1, "Bash", { command: "one" }), asks(2, "Bash", { command: "two" }));

  it("are kept apart, in whatever order they are answered", async () => {
    const { run } = await start(two);
    await waitFor(() => expect(dialogs()).toHaveLength(2));
    screen.getByRole("group", { name: "2 questions" });
    const [first, second] = dialogs() as [HTMLElement, HTMLElement];
    expect(document.activeElement).toBe(first);
    press(second, "Deny");
    press(second, "Deny");
    await within(second).findByText("Your answer has arrived.");
    expect(within(first).queryByText("Your answer has arrived.")).toBeNull();
    run.say(settles(2, "deny", "client"));
    await waitFor(() => expect(dialogs()).toEqual([first]));
    press(first, "Allow");
    await within(first).findByText("Your answer has arrived.");
    run.say(settles(1, "allow", "client"));
    await waitFor(() => expect(dialogs()).toEqual([]));
    const sent = server.decisions.map(({ path, body }) => [path.split("/").at(-1), body.behavior]);
    expect(sent).toEqual([
      ["p2", "deny"],
      ["p1", "allow"],
    ]);
    const notes = screen.getAllByTestId("tool").map((each) => each.querySelector(".note")?.textContent);
    expect(notes).toEqual(["Approved by you.", "Denied by you."]);
  });

  it("hand the keyboard on to the next one", async () => {
    const { run } = await start(two);
    await waitFor(() => expect(dialogs()).toHaveLength(2));
    const [first, second] = dialogs() as [HTMLElement, HTMLElement];
    within(first).getByRole("button", { name: "Deny" }).focus();
    run.say(settles(1, "deny", "timeout"));
    await waitFor(() => expect(dialogs()).toEqual([second]));
    expect(document.activeElement).toBe(second);
  });

  it("take no click that was aimed at what stood there before", async () => {
    const { run } = await start(two);
    await waitFor(() => expect(dialogs()).toHaveLength(2));
    const [, second] = dialogs() as [HTMLElement, HTMLElement];
    const now = performance.now();
    const time = vi.spyOn(performance, "now").mockReturnValue(now);
    act(() => void run.say(settles(1, "deny", "timeout")));
    await waitFor(() => expect(dialogs()).toEqual([second]));
    const approve = within(second).getByRole("button", { name: "Allow" });
    fireEvent.click(approve, { detail: 2 });
    expect(approve.getAttribute("aria-disabled")).toBe("false");
    time.mockReturnValue(now + 500);
    fireEvent.click(approve, { detail: 1 });
    time.mockRestore();
    await within(second).findByText("Your answer has arrived.");
    expect(server.decisions).toHaveLength(1);
  });
});
