// Has a partner's health computed, and watches it. What came of it is the server's to show: the page fetches the card anew.
import { abortRun, followRun, streamAgent } from "./agent-stream.js";

const base = "/partners";
const words = JSON.parse(document.querySelector("main").dataset.words);
/** In the language of the page. */
const said = (english) => words[english] ?? english;
const token = () => document.querySelector('meta[name="csrf-token"]').content;
const runOf = (id) => `health:${id}`;
/** By partner: how to stop what is under way. */
const underWay = new Map();

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-do]");
  const card = button?.closest(".partner");
  if (!card) return;
  if (button.dataset.do === "stop") underWay.get(card.dataset.partner)?.();
  else {
    const start = `${base}/${encodeURIComponent(card.dataset.partner)}/health`;
    compute(card, (options) => streamAgent({ ...options, start }));
    card.querySelector("[data-do=stop]").focus({ preventScroll: true });
  }
});

// A run goes on while its page is reloaded.
for (const card of document.querySelectorAll(".partner")) {
  const run = sessionStorage.getItem(runOf(card.dataset.partner));
  if (run) compute(card, (options) => followRun({ ...options, run }));
}

async function compute(card, start) {
  const id = card.dataset.partner;
  if (underWay.has(id)) return;
  const abort = new AbortController();
  const [now, button, stop] = [".now", "[data-do=compute]", "[data-do=stop]"].map((name) => card.querySelector(name));
  const began = Date.now();
  let [run, state, failure, isStopped, isSimulated, isDone] = ["", said("Computing"), "", false, false, false];
  const tell = () => {
    const seconds = Math.floor((Date.now() - began) / 1000);
    now.textContent = `${state} …${seconds > 2 ? ` ${seconds} s` : ""}${isSimulated ? ` · ${said("simulated: no model answers")}` : ""}`;
  };
  const clock = setInterval(tell, 1000);
  const end = async () => {
    if (await abortRun({ base, run, csrfToken: token() })) return;
    failure = said("the server could not be told to stop, and may go on.");
    abort.abort();
  };
  const onEvent = (event) => {
    const isFirst = run === "";
    run = event.run;
    sessionStorage.setItem(runOf(id), run);
    if (event.type === "start") isSimulated = event.simulated;
    if (!isStopped && event.type !== "ping") state = said(event.type === "retry" ? "The service is busy: waiting" : "Computing");
    if (isStopped && isFirst) end();
    tell();
  };
  underWay.set(id, () => {
    if (isStopped) return;
    isStopped = true;
    state = said("Stopping");
    tell();
    if (run) end(); // else as soon as it is known
  });
  card.ariaBusy = "true";
  [button.hidden, stop.hidden] = [true, false];
  tell();
  try {
    const last = await start({ base, signal: abort.signal, csrfToken: token(), onEvent });
    isDone = last.type === "done";
  } catch (cause) {
    // The run of an earlier visit may be over and forgotten; its result is on the page by now.
    if (!isStopped && (run || cause.code !== "worker_lost")) failure = cause.message;
  }
  clearInterval(clock);
  underWay.delete(id);
  sessionStorage.removeItem(runOf(id));
  await renew(card, failure, isDone && isSimulated ? ` · ${said("simulated: no model answered")}` : "");
}

/** Shows the partner as the server has it now. */
async function renew(card, failure, note) {
  const had = card.contains(document.activeElement);
  const isOpen = card.querySelector("details")?.open;
  const address = `${base}/${encodeURIComponent(card.dataset.partner)}`;
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => undefined);
  let fresh = card;
  if (answer?.ok) {
    const template = document.createElement("template");
    template.innerHTML = await answer.text(); // of Blade, which escapes what is not ours
    fresh = template.content.querySelector(".partner");
    fresh.querySelector(".source")?.append(note);
    card.replaceWith(fresh);
    if (isOpen) fresh.querySelector("details")?.setAttribute("open", "");
    count();
  } else {
    card.ariaBusy = "false";
    [card.querySelector("[data-do=compute]").hidden, card.querySelector("[data-do=stop]").hidden] = [false, true];
    card.querySelector(".now").textContent = "";
  }
  if (failure && !fresh.querySelector(".failed")) {
    const line = document.createElement("p");
    line.className = "failed";
    line.dataset.testid = "failed";
    fresh.querySelector(".now").after(line);
  }
  if (failure) fresh.querySelector(".failed").textContent = said("It could not be computed: ") + failure;
  if (had) fresh.querySelector("[data-do=compute]").focus({ preventScroll: true });
}

/** Counts the cards, as the server did when the page was new. */
function count() {
  for (const line of document.querySelectorAll(".counts li")) {
    const found = document.querySelectorAll(line.dataset.of).length;
    line.querySelector("b").textContent = found;
    line.hidden = found === 0;
  }
}
