import { type AgentView, isByPerson } from "@agent-workers/react/stream";
import { el, set } from "./dom";
import type { Page } from "./page";

/** Where prompts are written, and while the agent works a word to it. */
export function composer(page: Page, maySteer: () => boolean, placeholder: () => string) {
  const { conversation: { send, stream }, words } = page;
  let now: AgentView = stream.view();
  const isBusy = () => now.state === "connecting" || now.state === "streaming";
  const reaches = () => !isBusy() || (maySteer() && !isByPerson(now));
  const submit = (event: Event) => {
    event.preventDefault();
    if (reaches() && (isBusy() ? stream.steer(box.value) : send(box.value))) box.value = "";
    shape();
    box.focus();
  };
  const onKey = (event: Event) => {
    const { key, shiftKey, isComposing, keyCode } = event as KeyboardEvent;
    // While a Japanese or Chinese word is being composed, Enter accepts the word. (229: Safari says so only this way.)
    if (key === "Enter" && !shiftKey && !isComposing && keyCode !== 229) submit(event);
  };
  const box = el("textarea", { rows: "2", "aria-label": words.message, part: "textbox", keydown: onKey, input: () => shape() });
  const button = el("button", { type: "submit", part: "button send" }, words.send);
  const stop = el("button", { type: "button", part: "button stop", click: () => (stream.stop(), box.focus()) }, words.stop);
  const node = el("form", { part: "composer", submit }, box, button, stop);
  const shape = () => {
    button.disabled = !box.value.trim();
    button.hidden = !reaches();
    stop.hidden = !isBusy();
    set(box, "placeholder", isBusy() && reaches() ? words.steer : placeholder());
  };
  const show = (view: AgentView) => {
    now = view;
    shape();
  };
  return { node, box, show };
}
