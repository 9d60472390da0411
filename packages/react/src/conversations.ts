import { chatAt } from "./addresses.js";
import { type AgentState, type AgentStreamOptions, type AgentView, idle, type SendOptions } from "./agentStream.js";
import { newConversation } from "./conversation.js";
import { Conversation } from "./exchanges.js";
import type { Failure } from "./failure.js";
import type { History } from "./history.js";
import { NotRecorded, Recorded } from "./recorded.js";
import { placeOf, recall } from "./remembered.js";
import { type Entry, pageStorage, Shelf, type Volume } from "./shelf.js";

export interface ConversationsOptions extends Omit<AgentStreamOptions, "conversation" | "initial"> {
  /**
   * The address of the routes for recorded conversations, such as `/agent/conversations`, without a slash at the end: the
   * list and what was said come from the server then, for each device of the visitor. Without it this browser keeps them.
   */
  recorded?: string;
}

export interface ListedConversation extends Entry {
  /** How its answer stands, if it was begun or looked at on this page. */
  state?: AgentState;
  /** Whether the agent waits for a permission or an answer. */
  isAsking: boolean;
}

export interface ListView {
  /** Those in which something was sent, the newest first. */
  list: ListedConversation[];
  /** The id of the one that is open; it is in the list once something was sent. */
  current: string;
  /** What was deleted last, until something else is done: `undo` brings it back. What the server had is gone for good. */
  removed?: Entry;
  /** Why the server did not list, show, rename or delete what it was last asked to. */
  failure?: Failure;
}

const CURRENT = "agent-conversation:";
/** Characters of a title. */
const LONGEST = 60;

/** Several conversations as a store. Each goes on while another one is looked at. */
export class Conversations {
  readonly #options: ConversationsOptions;
  readonly #place: string;
  readonly #shelf: Shelf;
  readonly #recorded: Recorded | undefined;
  /** Those of which the server has told only that they are there. */
  readonly #unread = new Set<string>();
  readonly #open = new Map<string, { conversation: Conversation; mark: string }>();
  readonly #subscribers = new Set<() => void>();
  #current: string;
  #removed: (Volume & { wasOpen: boolean }) | undefined;
  #failure: Failure | undefined;
  #view: ListView;

  constructor({ base, addresses, headers, visitor, timing, recorded }: ConversationsOptions) {
    const options = { base, addresses, headers, visitor, timing };
    this.#options = options;
    this.#place = placeOf((options.addresses ?? chatAt)(options.base).start, options.visitor);
    this.#recorded = recorded === undefined ? undefined : new Recorded(recorded, headers);
    this.#shelf = new Shelf(this.#place, this.#recorded && pageStorage());
    this.#current = recallCurrent(this.#place) ?? newConversation();
    this.#load(this.#current);
    this.#view = this.#look();
  }

  view = (): ListView => this.#view;

  subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  /** The one that is open. */
  conversation = (): Conversation => this.#open.get(this.#current)!.conversation;

  /** Takes up what ran when the page was reloaded or left, and learns what other tabs do. */
  resume = (): void => {
    for (const { id } of this.#shelf.list()) if (!this.#open.has(id) && recall(this.#runOf(id))) this.#load(id);
    for (const { conversation } of this.#open.values()) conversation.stream.resume();
    addEventListener("storage", this.#onStorage);
    this.#change();
    if (this.#recorded) void this.#learn(this.#recorded);
  };

  /** Closes the connections, as closing the page does. */
  leave = (): void => {
    removeEventListener("storage", this.#onStorage);
    for (const { conversation } of this.#open.values()) conversation.stream.leave();
  };

  /** Shows another conversation. The answer in the one that is left goes on. */
  open = (id: string): void => {
    const isKnown = this.#open.has(id) || this.#shelf.volume(id) !== undefined;
    if (isKnown) this.#show(id);
    if (this.#recorded && this.#unread.has(id)) void this.#read(this.#recorded, id);
  };

  /** Gives a conversation another title. */
  rename = (id: string, title: string): void => {
    const volume = this.#shelf.volume(id);
    if (!volume || !title.trim()) return;
    this.#shelf.putBack({ ...volume, title });
    this.#change();
    if (this.#recorded) void this.#try(this.#recorded.rename(id, title));
  };

  /** Begins a new conversation, with this message if there is one. */
  begin = (prompt?: string, options?: SendOptions): void => {
    if (this.conversation().stream.view().prompt !== undefined) this.#show(newConversation());
    if (prompt) this.conversation().send(prompt, options);
  };

  /** Deletes a conversation, and stops its answer. The one that is open gives way to a new one. */
  remove = (id: string): void => {
    this.#open.get(id)?.conversation.stream.stop();
    const volume = this.#shelf.volume(id);
    this.#removed = this.#recorded ? undefined : volume && { ...volume, wasOpen: id === this.#current };
    if (this.#recorded && volume) void this.#try(this.#recorded.remove(id));
    this.#open.delete(id);
    this.#shelf.remove(id);
    if (id === this.#current) this.#turnTo(newConversation());
    this.#change();
  };

  /** Brings back what was deleted last. */
  undo = (): void => {
    const removed = this.#removed;
    if (removed === undefined) return;
    this.#shelf.putBack(removed);
    this.#show(removed.wasOpen ? removed.id : this.#current);
  };

  #show(id: string): void {
    this.#removed = undefined;
    this.#turnTo(id);
    this.#change();
  }

  #turnTo(id: string): void {
    this.#current = id;
    keepCurrent(this.#place, id);
    if (!this.#open.has(id)) this.#load(id).stream.resume();
  }

  #load(id: string): Conversation {
    const { visitor = "" } = this.#options;
    // What the server records bears the id that it has here.
    const initial = this.#recorded && idle(id);
    const conversation = new Conversation({ ...this.#options, initial, visitor: `${visitor} ${id}` }, this.#history(id));
    this.#open.set(id, { conversation, mark: markOf(conversation.stream.view()) });
    conversation.stream.subscribe(() => this.#note(id, conversation));
    return conversation;
  }

  /** Takes the server's list. */
  async #learn(recorded: Recorded): Promise<void> {
    const list = await this.#try(recorded.list());
    for (const entry of list ?? []) {
      if (this.#shelf.volume(entry.id)) continue; // something was sent meanwhile
      this.#shelf.put({ ...entry, title: titleOf(entry.title) }, [], false);
      this.#unread.add(entry.id);
    }
    if (list) this.#change();
    if (this.#unread.has(this.#current)) await this.#read(recorded, this.#current);
  }

  /** Takes what was said in a conversation, before what is said here meanwhile. */
  async #read(recorded: Recorded, id: string): Promise<void> {
    this.#unread.delete(id);
    const views = await this.#try(recorded.show(id));
    const entry = this.#shelf.list().find((each) => each.id === id);
    if (!views || !entry) {
      if (entry) this.#unread.add(id);
      return;
    }
    const open = this.#open.get(id)?.conversation;
    const view = open?.stream.view();
    if (open && view?.prompt !== undefined) open.learn(views.filter(({ run }) => run !== view.run));
    else {
      this.#shelf.put(entry, views, false);
      if (open) this.#load(id);
    }
    this.#change();
  }

  /** The server's answer; undefined, and `failure` says why, if there is none. */
  async #try<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
      const answer = await asked;
      this.#failure = undefined;
      return answer;
    } catch (cause) {
      if (!(cause instanceof NotRecorded)) throw cause;
      this.#failure = cause.failure;
      this.#change();
      return undefined;
    }
  }

  #history(id: string): History {
    return {
      recall: (isRunning) => {
        const exchanges = this.#shelf.exchanges(id);
        return isRunning && this.#shelf.volume(id)?.isOpen ? exchanges.slice(0, -1) : exchanges;
      },
      keep: (exchanges, running) => this.#keep(id, exchanges, running),
    };
  }

  #keep(id: string, exchanges: AgentView[], running?: AgentView): void {
    // What was deleted is not kept again because its answer ends.
    if (!this.#open.has(id)) return;
    const known = this.#shelf.list().find((entry) => entry.id === id);
    const isSent = running !== undefined;
    // Where the page does not come back to it, the answer is one that was stopped.
    const views = isSent ? [...exchanges, { ...running, state: "stopped" as const }] : exchanges;
    const title = known?.title ?? titleOf(views[0]?.prompt ?? "");
    this.#shelf.put({ id, title, at: isSent || !known ? Date.now() : known.at }, views, isSent);
    if (isSent) {
      keepCurrent(this.#place, this.#current);
      this.#removed = undefined;
    }
    this.#change();
  }

  /** The list tells how an answer stands, not what it says. */
  #note(id: string, conversation: Conversation): void {
    const open = this.#open.get(id);
    const view = conversation.stream.view();
    if (open?.conversation !== conversation || open.mark === markOf(view)) return;
    open.mark = markOf(view);
    // The server does not know the run any more: its message is in the history.
    if (view.state === "idle" && this.#shelf.volume(id)?.isOpen) this.#load(id);
    this.#change();
  }

  #onStorage = ({ key }: StorageEvent): void => {
    const isShown = key === this.#shelf.placeOf(this.#current) && this.#shelf.volume(this.#current);
    if (isShown && !isBusy(this.conversation().stream.view().state)) this.#load(this.#current);
    if (isShown || key === null || key === this.#shelf.place) this.#change();
  };

  #look(): ListView {
    const list = this.#shelf.list().map(({ id, title, at }) => {
      const view = this.#open.get(id)?.conversation.stream.view();
      return { id, title, at, state: view?.state, isAsking: view !== undefined && isAsking(view) };
    });
    return { list, current: this.#current, removed: this.#removed, failure: this.#failure };
  }

  #change(): void {
    // What is over and out of sight is read again when somebody looks at it: another tab may have gone on with it.
    for (const [id, { conversation }] of this.#open) {
      const isOver = id !== this.#current && !isBusy(conversation.stream.view().state);
      if (isOver && !recall(this.#runOf(id))) this.#open.delete(id);
    }
    this.#view = this.#look();
    for (const subscriber of this.#subscribers) subscriber();
  }

  #runOf(id: string): string {
    const { addresses = chatAt, base, visitor = "" } = this.#options;
    return placeOf(addresses(base).start, `${visitor} ${id}`);
  }
}

const isBusy = (state: AgentState | undefined): boolean => state === "connecting" || state === "streaming";

const isAsking = (view: AgentView): boolean =>
  isBusy(view.state) && [...view.permissions, ...view.questions].some(({ resolved }) => !resolved);

const markOf = (view: AgentView): string => `${view.state} ${isAsking(view)}`;

/** The first words of a message, in one line. */
export function titleOf(prompt: string): string {
  const line = prompt.trim().replace(/\s+/g, " ");
  if (line.length <= LONGEST) return line;
  const cut = line.slice(0, LONGEST).replace(/[\uD800-\uDBFF]$/, "");
  return `${cut.replace(/(?<=.{20}) \S*$/, "")} …`;
}

function recallCurrent(place: string): string | undefined {
  try {
    return sessionStorage.getItem(CURRENT + place) ?? undefined;
  } catch {
    return undefined;
  }
}

function keepCurrent(place: string, id: string): void {
  try {
    sessionStorage.setItem(CURRENT + place, id);
  } catch {
    // Storage may be switched off or full.
  }
}
