import { type Addresses, chatAt } from "./addresses";
import { Connection, TIMING, type Timing } from "./connection";
import { newConversation } from "./conversation";
import { type Behavior, type Reply, sendDecision } from "./decision";
import { type AgentEvent, isTerminal } from "./events";
import { BROKEN, type Failure, RunFailed } from "./failure";
import { nextFrame } from "./nextFrame";
import { forget, recall, remember } from "./remembered";
import { endRun } from "./stopping";
import { type Answer, EMPTY, Transcript } from "./transcript";

export type AgentState = "idle" | "connecting" | "streaming" | "done" | "error" | "stopped";

export interface AgentView extends Answer {
  state: AgentState;
  /** What was sent last. */
  prompt?: string;
  /** Sent with every prompt: the id of the session that was saved last, a UUID made here until then. */
  conversation: string;
  /** True while a lost connection is being resumed; `state` is "connecting" then. */
  reconnecting: boolean;
  /** Set in the state "error". */
  error?: Failure;
  /** Time (ms since the epoch) before which `retry()` does nothing. */
  retryAt?: number;
  /** The answers given on this page, by the question's id. */
  replies: Record<string, Reply>;
  /** Set in the state "stopped": "user" here, or the reason that the worker gave. */
  stoppedBy?: "user" | AgentEvent<"aborted">["reason"];
  /** Why the server could not be told that the run was stopped here: it may go on there. */
  stopError?: Failure;
}

export interface AgentStreamOptions {
  /** Address before what `addresses` adds, without a slash at its end. */
  base: string;
  /** What lies below the base; that of a chat if absent. */
  addresses?: (base: string) => Addresses;
  /** Conversation to go on with. */
  conversation?: string;
  timing?: Partial<Timing>;
}

/** One conversation's current run as a store: React subscribes to it, and so can anything else. */
export class AgentStream {
  readonly #addresses: Addresses;
  readonly #timing: Timing;
  readonly #subscribers = new Set<() => void>();
  #view: AgentView;
  #transcript = new Transcript();
  #abort = new AbortController();
  #run: string | undefined;
  /** Whether the run is one to go on with of which the server has said nothing yet. */
  #isRecalled = false;
  readonly #conversation: string | undefined;
  /** What the conversation was before this run, and is again where the run could not be saved. */
  #earlier: string;
  #cancelRender: (() => void) | undefined;

  constructor({ base, addresses = chatAt, conversation, timing }: AgentStreamOptions) {
    this.#addresses = addresses(base);
    this.#timing = { ...TIMING, ...timing };
    this.#conversation = conversation;
    this.#earlier = conversation ?? newConversation();
    this.#view = idle(this.#earlier);
  }

  view = (): AgentView => this.#view;

  subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  /** Starts a run. False, and nothing happens, for an empty prompt or while a run goes on. */
  send = (prompt: string): boolean => {
    if (!prompt.trim() || this.#isRunning()) return false;
    const { conversation } = this.#view;
    this.#begin({ ...idle(conversation), state: "connecting", prompt });
    void this.#follow((connection) => connection.follow({ prompt, conversation }));
    return true;
  };

  /** Goes on with the run that this page followed before it was reloaded or left. False where there is none. */
  resume = (): boolean => {
    const kept = recall(this.#addresses.start);
    const isAnother = this.#conversation !== undefined && this.#conversation !== kept?.conversation;
    if (!kept || isAnother || this.#isRunning()) return false;
    const { run, prompt, conversation } = kept;
    this.#begin({ ...idle(conversation), state: "connecting", prompt, reconnecting: true });
    this.#run = run;
    this.#isRecalled = true;
    void this.#follow((connection) => connection.resume(run));
    return true;
  };

  /** Ends the run at the server, whether or not that would let it go on without this page. What has been said stays. */
  stop = (): void => {
    if (!this.#isRunning()) return;
    // Before the server has said which run it is, it ends one whose connection is closed.
    if (this.#run) void this.#end(this.#run);
    this.#abort.abort();
    forget(this.#addresses.start);
    this.#change({ state: "stopped", stoppedBy: "user", reconnecting: false });
  };

  /** Lets go of the run, as a page does that is closed: the server may end it or let it go on, for `resume()`. */
  leave = (): void => {
    this.#abort.abort();
    if (this.#isRunning()) this.#change({ state: "stopped", stoppedBy: "user", reconnecting: false });
  };

  /** Sends the last prompt again after an error or a stop. False while the server asked to wait. */
  retry = (): boolean => {
    const { state, prompt, retryAt = 0 } = this.#view;
    if (!prompt || !(state === "error" || state === "stopped") || Date.now() < retryAt) return false;
    return this.send(prompt);
  };

  /** Answers an open question, once: false, and nothing happens, while an answer is on its way or after it arrived. */
  decide = (question: string, behavior: Behavior, message?: string): boolean => {
    const { run, questions, replies } = this.#view;
    const isOpen = questions.some(({ id, resolved }) => id === question && !resolved);
    const mayReply = !replies[question] || replies[question].state === "failed";
    if (!run || !isOpen || !mayReply || !this.#isRunning()) return false;
    void this.#reply(this.#addresses.permission(run, question), question, behavior, message);
    return true;
  };

  async #reply(address: string, question: string, behavior: Behavior, message?: string): Promise<void> {
    const { signal } = this.#abort;
    const note = (reply: Reply) => this.#change({ replies: { ...this.#view.replies, [question]: reply } });
    note({ behavior, state: "sending" });
    const failure = await sendDecision(address, { behavior, ...(message && { message }) }, signal);
    // Of a run that was stopped, or that another has followed, nothing is shown any more.
    if (signal !== this.#abort.signal || signal.aborted) return;
    note(failure ? { behavior, state: "failed", failure } : { behavior, state: "sent" });
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
    // A run that was stopped or has ended may still be heard of while the next one goes on.
    const isCurrent = () => signal === this.#abort.signal && !signal.aborted && this.#isRunning();
    const listener = {
      onOpen: (run: string, at: number | undefined) => isCurrent() && this.#open(run, at),
      onLost: () => isCurrent() && this.#change({ state: "connecting", reconnecting: true }),
      onEvent: (event: AgentEvent) => isCurrent() && this.#take(event),
    };
    try {
      await follow(new Connection(this.#addresses, signal, listener, this.#timing));
    } catch (cause) {
      if (!isCurrent()) return;
      if (cause instanceof RunFailed) return this.#lose(cause.failure);
      this.#fail(BROKEN);
      throw cause;
    }
  }

  #open(run: string, at: number | undefined): void {
    const { prompt = "", conversation } = this.#view;
    this.#run = run;
    if (this.#isRecalled && at !== undefined) this.#transcript.synchronize(at);
    this.#isRecalled = false;
    remember(this.#addresses.start, { run, prompt, conversation });
    this.#change({ state: "streaming", reconnecting: false });
  }

  /** No end of the run is to be had. One that was to be resumed and is not known any more is none to speak of. */
  #lose(failure: Failure): void {
    if (failure.code !== "network") forget(this.#addresses.start);
    if (this.#isRecalled && failure.code !== "network") this.#show(idle(this.#view.conversation));
    else this.#fail(failure);
  }

  async #end(run: string): Promise<void> {
    const { signal } = this.#abort;
    const stopError = await endRun(this.#addresses.abort(run));
    if (stopError && signal === this.#abort.signal) this.#change({ stopError });
  }

  #take(event: AgentEvent): void {
    this.#transcript.apply(event);
    if (isTerminal(event)) forget(this.#addresses.start);
    if (event.type === "done") this.#change({ state: "done" });
    else if (event.type === "aborted") this.#change({ state: "stopped", stoppedBy: event.reason });
    else if (event.type === "error") this.#fail(readFailure(event));
    else this.#cancelRender ??= nextFrame(() => this.#change({}));
  }

  #fail(error: Failure): void {
    const retryAt = error.retryAfterMs ? Date.now() + error.retryAfterMs : undefined;
    this.#change({ state: "error", error, retryAt, reconnecting: false });
  }

  /** Shows at once what changed, together with all that the run has said by now. */
  #change(change: Partial<AgentView>): void {
    const answer = this.#transcript.answer();
    const conversation = answer.sessionId ?? this.#earlier;
    this.#show({ ...this.#view, ...answer, conversation, ...change });
  }

  #show(view: AgentView): void {
    this.#cancelRender?.();
    this.#cancelRender = undefined;
    this.#view = view;
    for (const subscriber of this.#subscribers) subscriber();
  }
}

const idle = (conversation: string): AgentView => ({
  ...EMPTY,
  state: "idle",
  conversation,
  reconnecting: false,
  replies: {},
});

function readFailure(event: AgentEvent<"error">): Failure {
  const { code, message, retryable, retry_after_ms: retryAfterMs, http_status: httpStatus } = event;
  return { code, message, retryable, retryAfterMs, httpStatus };
}
