import { addressesAt, type AgentView, bearerFrom, Conversation, type HeadersFor } from "@agent-workers/react/stream";
import { asked, openOf } from "./asked";
import { composer } from "./composer";
import { el, list, set, tell, write } from "./dom";
import { exchange } from "./exchange";
import type { Page } from "./page";
import { settlementIn, toolName } from "./settled";
import { styles } from "./style";
import { fill, type Words, wordsIn } from "./words";

/**
 * A chat with an agent: `<agent-chat endpoint="/agent/chat"></agent-chat>`. What is inside is shown before the first message.
 *
 * `endpoint` starts runs, `runs` is what the routes for them begin with (by default `runs` beside the endpoint), `csrf-token`
 * is sent with each request (by default the page's `<meta name="csrf-token">`), and so is `token`, for a gateway, or what the
 * route `token-endpoint` of the application gives; `visitor` names for whom messages are kept, with `steer` a word can be said to the agent
 * while it works, `label` and `placeholder` are words of the page's own, as are those
 * in `words`, JSON; the others are those of `lang`, or of the page's. With `plain` the answer is shown as it was written, not as Markdown. It fires `agent-state` whenever `state` changes.
 */
export class AgentChat extends HTMLElement {
  static observedAttributes = ["endpoint", "runs", "token-endpoint", "visitor", "lang", "words", "plain"];
  #conversation: Conversation | undefined;
  #close: (() => void) | undefined;
  #isPlaced = false;
  #words: Partial<Words> = {};

  connectedCallback(): void {
    this.#isPlaced = true;
    if (Object.hasOwn(this, "words")) this.#adopt();
    this.#open();
  }

  disconnectedCallback(): void {
    this.#isPlaced = false;
    this.#leave();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (!this.#isPlaced || before === now) return;
    if (["lang", "words", "plain"].includes(name)) return this.#showAnew();
    this.#leave();
    this.#open();
  }

  /** "idle", "connecting", "streaming", "done", "error" or "stopped". */
  get state(): AgentView["state"] {
    return this.#conversation?.stream.view().state ?? "idle";
  }

  /** Lines of your own, in place of those for the language of the element or of the page. */
  get words(): Partial<Words> {
    return this.#words;
  }

  set words(words: Partial<Words>) {
    this.#words = words;
    this.#showAnew();
  }

  /** Starts a run. False, and nothing happens, for an empty prompt or while a run goes on. */
  send(prompt: string): boolean {
    return this.#conversation?.send(prompt) ?? false;
  }

  stop(): void {
    this.#conversation?.stream.stop();
  }

  /** Stops the run, forgets all messages, and begins a new conversation. */
  clear(): void {
    this.#conversation?.clear();
  }

  #open(): void {
    const endpoint = this.getAttribute("endpoint");
    if (!endpoint) return console.error('<agent-chat> needs the address that starts runs: endpoint="/agent/chat".');
    const runs = this.getAttribute("runs") ?? endpoint.replace(/[^/]*$/, "runs");
    const route = this.getAttribute("token-endpoint");
    const granted = route ? bearerFrom(route) : undefined;
    const headers = (asked: HeadersFor): Record<string, string> | Promise<Record<string, string>> => {
      const [csrf, token] = [this.getAttribute("csrf-token"), this.getAttribute("token")];
      if (granted) return granted(asked);
      return { ...(csrf && { "X-CSRF-TOKEN": csrf }), ...(token && { Authorization: `Bearer ${token}` }) };
    };
    const visitor = this.getAttribute("visitor") ?? undefined;
    this.#conversation = new Conversation({ base: "", addresses: () => addressesAt(endpoint, runs), headers, visitor });
    this.#close = this.#show(this.#conversation);
    this.#conversation.stream.resume();
  }

  /** Takes what was set before this file had come. */
  #adopt(): void {
    const { words } = this;
    Reflect.deleteProperty(this, "words");
    this.words = words;
  }

  #showAnew(): void {
    if (!this.#conversation) return;
    this.#close?.();
    this.#close = this.#show(this.#conversation);
  }

  /** What the element says: of its language, of its attribute, of its property, the last of which counts. */
  #allWords(): Words {
    const language = this.closest("[lang]")?.getAttribute("lang") || document.documentElement.lang;
    let given: Partial<Words> = {};
    try {
      given = JSON.parse(this.getAttribute("words") || "{}");
    } catch {
      console.error('<agent-chat> cannot read its attribute words. Pass a JSON object, such as {"send": "Ask"}.');
    }
    return { ...wordsIn(language), ...given, ...this.#words };
  }

  #leave(): void {
    this.#close?.();
    this.#close = undefined;
    this.#conversation?.stream.leave();
    this.#conversation = undefined;
  }

  /** Shows a conversation and whatever becomes of it; returns the end of that. */
  #show(conversation: Conversation): () => void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open", delegatesFocus: true });
    const { stream } = conversation;
    const words = this.#allWords();
    const keepEnd = (grow: () => void) => {
      const isAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 40;
      grow();
      if (isAtEnd) messages.scrollTop = messages.scrollHeight;
    };
    const isPlain = this.hasAttribute("plain");
    const page: Page = { conversation, words, isPlain, keepEnd, focusTextbox: () => typing.box.focus(), hasSettled: () => questions.hasSettled() };
    // Nothing has the focus, or an empty textbox; what has it elsewhere on the page keeps it.
    const isFocusFree = () => {
      const active = document.activeElement === this ? root.activeElement : document.activeElement;
      return !active || active === document.body || (active === typing.box && !typing.box.value);
    };
    const questions = asked(page, isFocusFree);
    const typing = composer(page, () => this.hasAttribute("steer"), () => this.getAttribute("placeholder") ?? words.message);
    const hint = el("div", { part: "hint" }, el("slot"));
    const exchanges = el("div");
    const messages = el("div", { part: "messages", role: "group", "aria-label": words.messages, tabindex: "0" }, hint, exchanges);
    const [status, simulated, announcer] = [
      el("span", { part: "status" }),
      el("span", { part: "simulated note" }),
      el("p", { part: "announcer", "aria-live": "polite", "aria-atomic": "true" }),
    ];
    const renew = () => {
      this.clear();
      page.focusTextbox();
    };
    const fresh = el("button", { type: "button", part: "button new", click: renew }, words.newConversation);
    const footer = el("div", { part: "footer" }, status, " ", simulated, fresh);
    const label = this.getAttribute("label") ?? words.label;
    root.replaceChildren(
      el("section", { part: "chat", "aria-label": label }, messages, questions.node, typing.node, footer, announcer),
    );
    root.adoptedStyleSheets = [styles()];
    let state = stream.view().state;
    const update = () => {
      const view = stream.view();
      const isAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 40;
      const all = view.prompt === undefined ? conversation.past() : [...conversation.past(), view];
      hint.hidden = all.length > 0;
      list(exchanges, all.map((each) => ({ view: each, isLast: each === view })), (_, index) => String(index), () => exchange(page));
      questions.show(view);
      typing.show(view);
      const now = view.reconnecting ? "reconnecting" : view.state;
      const said = STATES[now];
      write(status, said ? words[said] : "");
      set(status, "data-state", now);
      fresh.hidden = all.length === 0;
      fresh.disabled = isBusy(view);
      tell(simulated, view.simulated && words.simulated);
      write(announcer, announcement(view, words));
      if (isAtEnd || (view.state === "connecting" && !view.reconnecting)) messages.scrollTop = messages.scrollHeight;
      if (view.state !== state) {
        state = view.state;
        this.dispatchEvent(new CustomEvent("agent-state", { bubbles: true, composed: true, detail: { state } }));
      }
    };
    update();
    const unsubscribe = stream.subscribe(update);
    // For what is counted down.
    const clock = setInterval(() => isCounting(stream.view()) && update(), 1000);
    return () => {
      unsubscribe();
      clearInterval(clock);
    };
  }
}

/** What else is to be seen needs no word: the answer, and how it ended. */
const STATES: Partial<Record<AgentView["state"] | "reconnecting", keyof Words>> = {
  connecting: "connecting",
  streaming: "streaming",
  reconnecting: "reconnecting",
  error: "failed",
};

const isBusy = ({ state }: AgentView): boolean => state === "connecting" || state === "streaming";

const isCounting = (view: AgentView): boolean => openOf(view).length > 0 || (view.retryAt ?? 0) > Date.now() - 2000;

/** What a screen reader says: what is asked, that an answer begins, and the whole answer at its end. */
function announcement(view: AgentView, words: Words): string {
  const { state, text, permissions, replies } = view;
  if (state === "stopped") return words.stopped;
  if (!isBusy(view)) return state === "done" ? text : "";
  const [open] = openOf(view);
  if (open) return "items" in open ? words.hasQuestion : fill(words.asksFor, { tool: toolName(open.name, words) });
  const settled = permissions.filter(({ resolved }) => resolved).at(-1);
  return settled ? `${toolName(settled.name, words)}: ${settlementIn(words, settled, replies[settled.id])}` : words.answering;
}

export type { Words };

if (!customElements.get("agent-chat")) customElements.define("agent-chat", AgentChat);

declare global {
  interface HTMLElementTagNameMap {
    "agent-chat": AgentChat;
  }
}
