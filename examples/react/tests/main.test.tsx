import { act, fireEvent, render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { Chat } from "../src/Chat";
import { serveEachTest, server } from "../../../packages/react/tests/hook.js";
import { START } from "../../../packages/react/tests/server.js";

serveEachTest();

it("keeps what was said over a reload, for the visitor whom the page names alone", async () => {
  server.onChat = (call) => call.open().say(START).text(`To ${call.body.prompt}`).done();
  for (const visitor of ["ada", "bea"]) {
    const { unmount } = render(<Chat base={server.base} visitor={visitor} />);
    expect(screen.queryByTestId("answer")).toBeNull();
    fireEvent.change(screen.getByRole("textbox", { name: "Message" }), { target: { value: visitor } });
    fireEvent.click(screen.getByRole("button", { name: "Send" }));
    await screen.findByText(`To ${visitor}`);
    await screen.findByText("Done");
    unmount();
  }
  document.body.innerHTML = `<div id="agent-chat" data-base="${server.base}" data-visitor="ada"></div>`;
  await act(() => import("../src/main"));
  expect(screen.getByTestId("answer").textContent).toBe("To ada");
});
