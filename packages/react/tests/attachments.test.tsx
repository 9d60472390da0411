import { act, fireEvent, render, renderHook, screen, waitFor, within } from "@testing-library/react";
import { StrictMode } from "react";
import { beforeAll, describe, expect, it } from "vitest";
import { Composer, TranscriptView, useAttachments, useConversation } from "../src/index.js";
import { mount, serveEachTest, server } from "./hook.js";
import { START, UP } from "./server.js";

serveEachTest();
// jsdom shows no images.
beforeAll(() => void Object.assign(URL, { createObjectURL: () => "blob:preview", revokeObjectURL: () => {} }));

const png = (name = "a.png", size = 3) => new File(["x".repeat(size)], name, { type: "image/png" });
const pdf = (name = "b.pdf") => new File(["%PDF-"], name, { type: "application/pdf" });
const text = () => new File(["Hi"], "c.txt", { type: "text/plain" });
const SENT = [{ name: "a.png", data: btoa("xxx") }, { name: "b.pdf", data: btoa("%PDF-") }];

function Page({ max = 3 }: { max?: number }) {
  const chat = useConversation({ base: server.base });
  const attachments = useAttachments({ max, maxKb: 1 });
  const busy = chat.state === "connecting" || chat.state === "streaming";
  return (
    <>
      <TranscriptView chat={chat} />
      <Composer
        busy={busy}
        maySteer
        attachments={attachments}
        onSend={(prompt) => (busy ? chat.steer(prompt) : chat.send(prompt, { attachments: attachments.files }))}
        onStop={chat.stop}
      />
    </>
  );
}

const open = (max?: number) => render(<StrictMode><Page max={max} /></StrictMode>);
const form = () => document.querySelector("form")!;
const textbox = () => screen.getByRole("textbox", { name: "Message" });
const pick = (...files: File[]) =>
  fireEvent.change(form().querySelector("input[type=file]")!, { target: { files } });
const names = (root: HTMLElement = form()) =>
  [...root.querySelectorAll("[data-part=attachment] .name")].map((name) => name.textContent);
const alerts = () => screen.queryAllByRole("alert").map((alert) => alert.textContent);
const write = (prompt: string) => fireEvent.change(textbox(), { target: { value: prompt } });
const send = () => screen.getByRole<HTMLButtonElement>("button", { name: "Send" });

describe("attachments", () => {
  it("are sent with the prompt, as their bytes in base64, in order", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Seen.").done();
    const hook = mount();
    act(() => expect(hook.now().send("Compare.", { attachments: [png(), pdf()] })).toBe(true));
    await hook.reaches("done");
    expect(server.posts[0]!.body).toMatchObject({ prompt: "Compare.", attachments: SENT });
    expect(hook.now().attachments.map(({ name, type, size }) => [name, type, size])).toEqual([
      ["a.png", "image/png", 3],
      ["b.pdf", "application/pdf", 5],
    ]);
    act(() => expect(hook.now().send("And now?")).toBe(true));
    await waitFor(() => expect(server.posts).toHaveLength(2));
    expect(server.posts[1]!.body).not.toHaveProperty("attachments");
    expect(hook.now().attachments).toEqual([]);
  });

  it("are sent again by a retry, and after a reload, which loses them, it says so", async () => {
    server.onChat = (call) =>
      call.open().say(START, { type: "error", code: "overloaded", message: "Busy.", retryable: true }).end();
    const page = () => renderHook(() => useConversation({ base: server.base }));
    const before = page();
    act(() => void before.result.current.send("Look.", { attachments: [png(), pdf()] }));
    await waitFor(() => expect(before.result.current.state).toBe("error"));
    act(() => expect(before.result.current.retry()).toBe(true));
    await waitFor(() => expect(server.posts).toHaveLength(2));
    await waitFor(() => expect(before.result.current.state).toBe("error"));
    expect(server.posts[1]!.body.attachments).toEqual(SENT);
    before.unmount();
    const after = page();
    expect(after.result.current.attachments).toEqual([
      { name: "a.png", type: "image/png", size: 3 },
      { name: "b.pdf", type: "application/pdf", size: 5 },
    ]);
    act(() => expect(after.result.current.retry()).toBe(true));
    await waitFor(() => expect(after.result.current.error?.code).toBe("attachment_lost"));
    expect(after.result.current.error).toMatchObject({ retryable: false, message: expect.stringContaining("a.png") });
    expect(server.posts).toHaveLength(2);
  });

  it("keep their names while a run is taken up after a reload", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Hal");
    const before = mount();
    act(() => void before.now().send("Look.", { attachments: [png()] }));
    await before.says("Hal");
    before.unmount();
    server.onResume = (call) => call.open(0).say(START, UP).text("Half.").done();
    const after = mount();
    await after.reaches("done");
    expect(after.now().attachments).toEqual([{ name: "a.png", type: "image/png", size: 3 }]);
  });

  it("that the server finds too large are an error in its own words, or in ours", async () => {
    server.onChat = (call) => call.refuse(422, { message: '"a.png" is larger than 1 kB.', errors: {} });
    const hook = mount();
    act(() => void hook.now().send("Look.", { attachments: [png()] }));
    await hook.reaches("error");
    expect(hook.now().error).toMatchObject({ code: "invalid_request", message: '"a.png" is larger than 1 kB.' });
    server.onChat = (call) => call.refuse(413);
    hook.retry();
    await waitFor(() => expect(hook.now().error?.code).toBe("too_large"));
    expect(hook.now().error?.retryable).toBe(false);
  });
});

describe("the composer with attachments", () => {
  it("shows what was chosen, dropped and pasted, and sends it once", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Seen.").done();
    open();
    expect(screen.getByRole("button", { name: "Attach images or PDFs" })).toBeTruthy();
    pick(png());
    fireEvent.drop(form(), { dataTransfer: { files: [pdf()], types: ["Files"] } });
    fireEvent.paste(textbox(), { clipboardData: { files: [png("pasted.png")], getData: () => "" } });
    expect(names()).toEqual(["a.png", "b.pdf", "pasted.png"]);
    expect(within(form()).getByRole("status").textContent).toBe("Attached: a.png, b.pdf, pasted.png");
    expect(form().querySelectorAll("img")).toHaveLength(2);
    expect(send().disabled).toBe(true);
    write("Compare.");
    fireEvent.click(send());
    await screen.findByText("Seen.", { selector: "article *" });
    expect(server.posts[0]!.body.attachments!.map(({ name }) => name)).toEqual(["a.png", "b.pdf", "pasted.png"]);
    expect(names()).toEqual([]);
    expect(names(document.querySelector<HTMLElement>("[data-part=message]")!)).toEqual(["a.png", "b.pdf", "pasted.png"]);
  });

  it("lets a person remove one, and leaves the focus in the textbox", () => {
    open();
    pick(png(), pdf());
    fireEvent.click(screen.getByRole("button", { name: "Remove a.png" }));
    expect(names()).toEqual(["b.pdf"]);
    expect(document.activeElement).toBe(textbox());
  });

  it("says of each file why it cannot be sent, and keeps the others", () => {
    open(1);
    pick(text(), png("large.png", 1025), png("empty.png", 0), png(), pdf());
    expect(names()).toEqual(["a.png"]);
    expect(alerts()).toEqual([
      "“c.txt” is neither an image (PNG, JPEG, GIF, WebP) nor a PDF.",
      "“large.png” is larger than 1 kB.",
      "“empty.png” is empty.",
      "“b.pdf” is one too many: a message can have at most 1 file.",
    ]);
    fireEvent.click(screen.getByRole("button", { name: "Remove a.png" }));
    expect(alerts()).toEqual([]);
  });

  it("leaves a paste or a drop of text alone", () => {
    open();
    const paste = { clipboardData: { files: [png()], getData: () => "a table" } };
    expect(fireEvent.paste(textbox(), paste)).toBe(true);
    expect(fireEvent.drop(form(), { dataTransfer: { files: [], types: ["text/plain"] } })).toBe(true);
    expect(names()).toEqual([]);
  });

  it("keeps files that were chosen while an answer goes on for the next prompt", async () => {
    server.onChat = (call) => call.open().say(START, UP).text("Wait");
    open();
    write("First.");
    fireEvent.click(send());
    await screen.findByText("Wait");
    expect(screen.queryByRole("button", { name: "Attach images or PDFs" })).toBeNull();
    fireEvent.drop(form(), { dataTransfer: { files: [png()], types: ["Files"] } });
    screen.getByText("Files can be sent once the answer is done.");
    write("Look.");
    fireEvent.keyDown(textbox(), { key: "Enter" });
    expect([send().disabled, server.steers.length]).toEqual([true, 0]);
    server.posts[0]!.done("Wait");
    await waitFor(() => expect(send().disabled).toBe(false));
    fireEvent.click(send());
    await waitFor(() => expect(server.posts).toHaveLength(2));
    expect(server.posts[1]!.body).toMatchObject({ prompt: "Look.", attachments: [SENT[0]] });
  });

  it("has no button where no files can be sent", () => {
    render(<Composer busy={false} maySteer onSend={() => true} onStop={() => {}} />);
    expect(screen.queryByRole("button", { name: /Attach/ })).toBeNull();
  });
});
