import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { beforeAll, describe, expect, it } from "vitest";
import { Chat } from "../src/Chat";
import { serveEachTest, server } from "../../../packages/react/tests/hook.js";
import { START } from "../../../packages/react/tests/server.js";

serveEachTest();
// jsdom shows no images.
beforeAll(() => void Object.assign(URL, { createObjectURL: () => "blob:preview", revokeObjectURL: () => {} }));

const PDF = new File(["%PDF-"], "fees.pdf", { type: "application/pdf" });

function open(attachments?: { max: number; maxKb: number }) {
  render(
    <StrictMode>
      <Chat base={server.base} attachments={attachments} />
    </StrictMode>,
  );
}
const textbox = () => screen.getByRole("textbox", { name: "Message" });
const names = (inside: string) => [...document.querySelectorAll(`${inside} .attachments .name`)].map((name) => name.textContent);
const send = (prompt: string) => {
  fireEvent.change(textbox(), { target: { value: prompt } });
  fireEvent.click(screen.getByRole("button", { name: "Send" }));
};

describe("files on the page", () => {
  it("go with their message, and come back when it is edited", async () => {
    server.onChat = (call) => call.open().say(START).text("Nothing.").done();
    open({ max: 1, maxKb: 1 });
    fireEvent.drop(document.querySelector("form")!, { dataTransfer: { files: [PDF], types: ["Files"] } });
    expect(names(".composer")).toEqual(["fees.pdf"]);
    send("What does it cost?");
    await screen.findByText("Nothing.");
    expect([names(".composer"), names(".asked")]).toEqual([[], ["fees.pdf"]]);
    fireEvent.click(screen.getByRole("button", { name: "Edit this message and send it again" }));
    expect(names(".composer")).toEqual(["fees.pdf"]);
    send("What does it really cost?");
    await waitFor(() => expect(server.posts).toHaveLength(2));
    expect(server.posts[1]!.body.attachments).toEqual(server.posts[0]!.body.attachments);
  });

  it("have no button where the application takes none", () => {
    open();
    expect(screen.queryByRole("button", { name: /Attach/ })).toBeNull();
  });
});
