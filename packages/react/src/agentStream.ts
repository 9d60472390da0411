import { type Addresses, chatAt } from "./addresses.js";
import { type Answer, EMPTY } from "./answer.js";
import { type Attachment, described, packed, withoutFiles } from "./attachments.js";
import { Connection, TIMING, type Timing } from "./connection.js";
import { newConversation } from "./conversation.js";
import { type AgentEvent, isTerminal } from "./events.js";
import { BROKEN, type Failure, RunFailed } from "./failure.js";
import { nextFrame } from "./nextFrame.js";
import type { MoreHeaders } from "./post.js";
import { forget, placeOf, recall, remember } from "./remembered.js";
import type { Answers, Behavior, Reply } from "./replies.js";
import { sendReply } from "./reply.js";
import { left, missed, sent, settle, type Steer } from "./steering.js";
import { endRun } from "./stopping.js";
import { TOOL_WORKER, Transcript } from "./transcript.js";

export type AgentState = "idle" | "connecting" | "streaming" | "done" | "error" | "stopped";

export interface AgentView extends Answer {
  state: AgentState;
  /** The prompt that was sent last. */
  prompt?: string;
  /** The files that went along with it. */
  attachments: Attachment[];
  /** Sent with every prompt: the id of the last saved session; until there is one, a UUID made here. */
  conversation: string;
  /** True while a lost connection is being resumed; `state` is "connecting" then. */
  reconnecting: boolean;
  /** Set in the state "error". */
  error?: Failure;
  /** Time (ms since the epoch) before which `retry()` does nothing. */
  retryAt?: number;
  /** The answers given on this page, by the id of the permission or question. */
  replies: Record<string, Reply>;
  /** The words that were said on this page while the agent worked. */
  steers: Steer[];
  /** Set in the state "stopped": "user" here, or the reason that the worker gave. */
  stoppedBy?: "user" | AgentEvent<"aborted">["reason"];
  /** Why the server could not be told to stop the run, which may therefore go on. */
  stopError?: Failure;
}

/** True for a tool that a person runs: no model takes part. */
export const isByPerson = ({ worker }: AgentView): boolean => worker === TOOL_WORKER;

export interface AgentStreamOptions {
  /** The address to which `addresses` adds its routes, without a slash at the end. */
  base: string;
  /** The routes below the base; by default those of a chat. */
  addresses?: (base: string) => Addresses;
  /** The conversation to continue. */
  conversation?: string;
  /** Sent with every request, such as a token: see `bearerFrom`. Laravel's CSRF token comes from the page's `<meta name="csrf-token">`. */
  headers?: MoreHeaders;
  /** Who sees the page: what is kept over a reload is not shown to the next one who signs in, in the same tab. */
  visitor?: string;
  timing?: Partial<Timing>;
  /** What is shown until something is sent: the last answer of a page that was reloaded. */
  initial?: AgentView;
}

export interface SendOptions {
  /** Images and PDFs that go along. */
  attachments?: File[];
}

/** One conversation's current run as a store: React subscribes to it, and so can anything else. */
export class AgentStream {
  readonly #addresses: Addresses;
  /** Where the run is kept over a reload. */
  readonly #place: string;
  readonly #timing: Timing;
  readonly #headers: MoreHeaders | undefined;
  readonly #subscribers = new Set<() => void>();
  #view: AgentView;
  #transcript = new Transcript();
  #abort = new AbortController();
  #run: string | undefined;
  /** Whether the page takes up an earlier run, and the server has not answered yet. */
  #isRecalled = false;
  readonly #conversation: string | undefined;
  /** The conversation before this run: it is restored if the run could not be saved. */
  #earlier: string;
  #cancelRender: (() => void) | undefined;

  constructor({ base, addresses = chatAt, conversation, headers, visitor, timing, initial }: AgentStreamOptions) {
    this.#addresses = addresses(base);
    this.#place = placeOf(this.#addresses.start, visitor);
    this.#timing = { ...TIMING, ...timing };
    this.#headers = headers;
    this.#conversation = conversation;
    this.#earlier = conversation ?? initial?.conversation ?? newConversation();
    this.#view = initial ?? idle(this.#earlier);
  }

  view = (): AgentView => this.#view;

  subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  /** Starts a run. False, and nothing happens, for an empty prompt or while a run goes on. */
  send = (prompt: string, { attachments = [] }: SendOptions = {}): boolean => {
    return this.#send(prompt, attachments.map(described));
  };

  #send(prompt: string, attachments: Attachment[]): boolean {
    if (!prompt.trim() || this.#isRunning()) return false;
    const { conversation } = this.#view;
    this.#begin({ ...idle(conversation), state: "connecting", prompt, attachments });
    void this.#follow(async (connection) => {
      const files = attachments.length > 0 && { attachments: await packed(attachments) };
      return connection.follow({ prompt, conversation, ...files });
    });
    return true;
  }

  /** Takes up the run that this page followed before it was reloaded or left. Returns false if there is none. */
  resume = (): boolean => {
    const kept = recall(this.#place);
    const isAnother = this.#conversation !== undefined && this.#conversation !== kept?.conversation;
    if (!kept || isAnother || this.#isRunning()) return false;
    const { run, prompt, conversation, steers, attachments } = kept;
    const view = { ...idle(conversation), prompt, attachments, steers: left(steers) };
    this.#begin({ ...view, state: "connecting", reconnecting: true });
    this.#run = run;
    this.#isRecalled = true;
    void this.#follow((connection) => connection.resume(run));
    return true;
  };

  /** Stops the run at the server, even if the server lets runs go on without their page. The text so far stays. */
  stop = (): void => {
    if (!this.#isRunning()) return;
    // Until it has sent the run's id, the server stops a run whose connection is closed.
    if (this.#run) void this.#end(this.#run);
    this.#abort.abort();
    forget(this.#place);
    this.#change({ state: "stopped", stoppedBy: "user", reconnecting: false, steers: left(this.#view.steers) });
  };

  /** Closes the connection, as closing the page does: the server stops the run, or lets it go on for `resume()`. */
  leave = (): void => {
    this.#abort.abort();
    if (this.#isRunning()) this.#change({ state: "stopped", stoppedBy: "user", reconnecting: false });
  };

  /** Stops the run, and begins a new conversation. */
  reset = (): void => {
    this.stop();
    this.#begin(idle(newConversation()));
  };

  /**
   * Sends the last prompt again after an error or a stop, or after a person's tool failed. False while the server asked to
   * wait.
   */
  retry = (): boolean => {
    const { state, prompt, attachments, retryAt = 0, toolCalls } = this.#view;
    const hasFailed = isByPerson(this.#view) && toolCalls.some(({ status }) => status === "error");
    const mayRetry = state === "error" || state === "stopped" || (state === "done" && hasFailed);
    if (!prompt || !mayRetry || Date.now() < retryAt) return false;
    return this.#send(prompt, attachments);
  };

  /** Answers an open permission, once: false, and nothing happens, while an answer is on its way or after it arrived. */
  decide = (permission: string, behavior: Behavior, message?: string): boolean => {
    const { run = "", permissions } = this.#view;
    const isOpen = permissions.some(({ id, resolved }) => id === permission && !resolved);
    const body = { behavior, ...(message && { message }) };
    return isOpen && this.#reply(this.#addresses.permission(run, permission), permission, body, { behavior });
  };

  /** Answers an open question, once, as `decide` does. */
  answer = (question: string, answers: Answers): boolean => {
    const { run = "", questions } = this.#view;
    const isOpen = questions.some(({ id, resolved }) => id === question && !resolved);
    return isOpen && this.#reply(this.#addresses.answer(run, question), question, { answers }, { answers });
  };

  /**
   * Says a word to the agent while it works, or a failed one again. False, and nothing happens, for an empty one or if no
   * agent works.
   */
  steer = (text: string, again?: string): boolean => {
    if (!text.trim() || !this.#isRunning() || isByPerson(this.#view)) return false;
    const steer: Steer = { id: newConversation(), text, state: "sending" };
    this.#change({ steers: [...this.#view.steers.filter(({ id }) => id !== again), steer] });
    if (this.#run) void this.#say(this.#run, steer);
    return true;
  };

  async #say(run: string, { id, text }: Steer): Promise<void> {
    const { signal } = this.#abort;
    this.#keep();
    const answer = await sendReply(this.#addresses.steer(run), { text }, signal, this.#headers);
    if (signal !== this.#abort.signal || signal.aborted) return;
    this.#change({ steers: this.#view.steers.map((steer) => (steer.id === id ? sent(steer, answer) : steer)) });
    this.#keep();
  }

  #reply(address: string, id: string, body: object, reply: Omit<Reply, "state">): boolean {
    const { run, replies } = this.#view;
    const mayReply = !replies[id] || replies[id].state === "failed";
    if (!run || !mayReply || !this.#isRunning()) return false;
    const { signal } = this.#abort;
    const note = (news: Reply) => this.#change({ replies: { ...this.#view.replies, [id]: news } });
    note({ ...reply, state: "sending" });
    void sendReply(address, body, signal, this.#headers).then(({ failure }) => {
      // A run that was stopped, or that another one replaced, shows nothing any more.
      if (signal !== this.#abort.signal || signal.aborted) return;
      note(failure ? { ...reply, state: "failed", failure } : { ...reply, state: "sent" });
    });
    return true;
  }

  #isRunning(): boolean {
    return this.#view.state === "connecting" || this.#view.state === "streaming";
  }

  #begin(view: AgentView): void {
    this.#abort = new AbortController();
    this.#transcript = new Transcript();
    this.#run = undefined;
    this.#isRecalled = false;
    this.#earlier = view.conversation;
    this.#show(view);
  }

  async #follow(follow: (connection: Connection) => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    // Events of a stopped or ended run may still arrive while the next one goes on.
    const isCurrent = () => signal === this.#abort.signal && !signal.aborted && this.#isRunning();
    const listener = {
      onOpen: (run: string, at: number | undefined) => isCurrent() && this.#open(run, at),
      onLost: () => isCurrent() && this.#change({ state: "connecting", reconnecting: true }),
      onEvent: (event: AgentEvent) => isCurrent() && this.#take(event),
    };
    try {
      await follow(new Connection(this.#addresses, signal, listener, this.#timing, this.#headers));
    } catch (cause) {
      if (!isCurrent()) return;
      if (cause instanceof RunFailed) return this.#lose(cause.failure);
      this.#fail(BROKEN);
      throw cause;
    }
  }

  #open(run: string, at: number | undefined): void {
    const isFirst = this.#run === undefined;
    this.#run = run;
    if (this.#isRecalled && at !== undefined) this.#transcript.synchronize(at);
    this.#isRecalled = false;
    this.#keep();
    this.#change({ state: "streaming", reconnecting: false });
    if (isFirst) this.#view.steers.forEach((steer) => void this.#say(run, steer));
  }

  /** Keeps what a reload would lose. */
  #keep(): void {
    const { prompt = "", conversation, steers } = this.#view;
    const attachments = withoutFiles(this.#view.attachments);
    if (this.#run && this.#isRunning()) remember(this.#place, { run: this.#run, prompt, conversation, steers, attachments });
  }

  /** The end of the run cannot be fetched. If an earlier run is unknown to the server, that is not an error. */
  #lose(failure: Failure): void {
    if (failure.code !== "network") forget(this.#place);
    if (this.#isRecalled && failure.code !== "network") this.#show(idle(this.#view.conversation));
    else this.#fail(failure);
  }

  async #end(run: string): Promise<void> {
    const { signal } = this.#abort;
    const stopError = await endRun(this.#addresses.abort(run), this.#headers);
    if (stopError && signal === this.#abort.signal) this.#change({ stopError });
  }

  #take(event: AgentEvent): void {
    if (this.#transcript.beginsAnew(event)) this.#view = { ...afresh(this.#view), steers: missed(this.#view.steers) };
    this.#transcript.apply(event);
    if (isTerminal(event)) forget(this.#place);
    if (event.type === "done") this.#change({ state: "done" });
    else if (event.type === "aborted") this.#change({ state: "stopped", stoppedBy: event.reason });
    else if (event.type === "error") this.#fail(readFailure(event));
    else this.#cancelRender ??= nextFrame(() => this.#change({}));
  }

  #fail(error: Failure): void {
    const retryAt = error.retryAfterMs ? Date.now() + error.retryAfterMs : undefined;
    this.#change({ state: "error", error, retryAt, reconnecting: false });
  }

  /** Shows a change at once, together with all events so far. */
  #change(change: Partial<AgentView>): void {
    const answer = this.#transcript.answer();
    const conversation = answer.sessionId ?? this.#earlier;
    const view = { ...this.#view, ...answer, conversation, ...change };
    const isOver = view.state !== "connecting" && view.state !== "streaming";
    this.#show({ ...view, steers: settle(view.steers, answer.fates, isOver) });
  }

  #show(view: AgentView): void {
    this.#cancelRender?.();
    this.#cancelRender = undefined;
    this.#view = view;
    for (const subscriber of this.#subscribers) subscriber();
  }
}

/** What is shown before anything is sent. */
export const idle = (conversation: string): AgentView => ({
  ...EMPTY,
  state: "idle",
  conversation,
  reconnecting: false,
  attachments: [],
  replies: {},
  steers: [],
});

/** The view without what it says of the run's answer: a field that a later answer leaves out would stay otherwise. */
function afresh(view: AgentView): AgentView {
  const { state, prompt, attachments, conversation, reconnecting, steers, stopError } = view;
  return { ...EMPTY, state, prompt, attachments, conversation, reconnecting, steers, stopError, replies: {} };
}

function readFailure(event: AgentEvent<"error">): Failure {
  const { code, message, retryable, retry_after_ms: retryAfterMs, http_status: httpStatus, details } = event;
  return { code, message, retryable, retryAfterMs, httpStatus, details };
}
