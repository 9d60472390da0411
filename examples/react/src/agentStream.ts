import { type Addresses, chatAt } from "./addresses";
import { type ChatRequest, Connection, TIMING, type Timing } from "./connection";
import { newConversation } from "./conversation";
import { type Behavior, type Reply, sendDecision } from "./decision";
import type { AgentEvent } from "./events";
import { BROKEN, type Failure, RunFailed } from "./failure";
import { nextFrame } from "./nextFrame";
import { type Answer, EMPTY, Transcript } from "./transcript";

export type AgentState = "idle" | "connecting" | "streaming" | "done" | "error" | "stopped";

export interface AgentView extends Answer {
  state: AgentState;
  /** What was sent last. */
  prompt?: string;
  /** Sent with every prompt: the session's id once known, a UUID made here until then. */
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
  #cancelRender: (() => void) | undefined;

  constructor({ base, addresses = chatAt, conversation = newConversation(), timing }: AgentStreamOptions) {
    this.#addresses = addresses(base);
    this.#timing = { ...TIMING, ...timing };
    this.#view = { ...EMPTY, state: "idle", conversation, reconnecting: false, replies: {} };
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
    this.#abort = new AbortController();
    this.#transcript = new Transcript();
    this.#show({ ...EMPTY, state: "connecting", prompt, conversation, reconnecting: false, replies: {} });
    void this.#run({ prompt, conversation }, this.#abort.signal);
    return true;
  };

  /** Ends the run by closing its connection; the server then stops the worker. What has been said stays. */
  stop = (): void => {
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

  async #run(request: ChatRequest, signal: AbortSignal): Promise<void> {
    // A run that was stopped or has ended may still be heard of while the next one goes on.
    const isCurrent = () => signal === this.#abort.signal && !signal.aborted && this.#isRunning();
    const listener = {
      onOpen: () => isCurrent() && this.#change({ state: "streaming", reconnecting: false }),
      onLost: () => isCurrent() && this.#change({ state: "connecting", reconnecting: true }),
      onEvent: (event: AgentEvent) => isCurrent() && this.#take(event),
    };
    try {
      await new Connection(this.#addresses, signal, listener, this.#timing).follow(request);
    } catch (cause) {
      if (!isCurrent()) return;
      if (cause instanceof RunFailed) return this.#fail(cause.failure);
      this.#fail(BROKEN);
      throw cause;
    }
  }

  #take(event: AgentEvent): void {
    this.#transcript.apply(event);
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
    const conversation = answer.sessionId ?? this.#view.conversation;
    this.#show({ ...this.#view, ...answer, conversation, ...change });
  }

  #show(view: AgentView): void {
    this.#cancelRender?.();
    this.#cancelRender = undefined;
    this.#view = view;
    for (const subscriber of this.#subscribers) subscriber();
  }
}

function readFailure(event: AgentEvent<"error">): Failure {
  const { code, message, retryable, retry_after_ms: retryAfterMs, http_status: httpStatus } = event;
  return { code, message, retryable, retryAfterMs, httpStatus };
}
