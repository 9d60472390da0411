/** One run over HTTP: a POST starts it, and only GETs follow it after a lost connection, so that no run starts twice. */

import type { Addresses } from "./addresses.js";
import { type AgentEvent, type Envelope, isKnown, isTerminal, readEvent } from "./events.js";
import { BAD_RESPONSE, type Failure, failureOf, NETWORK, refusal, RunFailed, UNSUPPORTED_VERSION, WORKER_LOST } from "./failure.js";
import { attemptIn, idOf, type Place } from "./place.js";
import { type MoreHeaders, posting } from "./post.js";
import { type Frame, FrameTooLong, SseParser } from "./sse.js";
import { TOOL_WORKER } from "./transcript.js";
import { pause, Silence } from "./waiting.js";

export interface ChatRequest {
  prompt: string;
  conversation?: string;
  /** Images and PDFs, their bytes in base64. */
  attachments?: { name: string; data: string }[];
}

export interface Timing {
  /** Without a byte for this long, a connection counts as lost. Heartbeats count as bytes. */
  silenceMs: number;
  /** As long may a person's tool be silent besides: the application may be busy with it, and the event names no end. */
  personsToolMs: number;
  /** How often in a row a run may be resumed without learning anything new. */
  resumes: number;
  /** Wait before the first attempt; it doubles with each attempt, up to 16 times this. */
  backoffMs: number;
}

export const TIMING: Timing = { silenceMs: 45_000, personsToolMs: 60_000, resumes: 5, backoffMs: 500 };

export interface Listener {
  /** A stream of this run's events is open; `at` is the server's time (ms since the epoch), if the response has it. */
  onOpen(run: string, at: number | undefined): unknown;
  /** The connection is lost and the run is about to be resumed. */
  onLost(): unknown;
  /** Called once for each event of a known type, in order; the terminal one comes last. */
  onEvent(event: AgentEvent): unknown;
}

/** Raised when a connection ended before the run did. */
class Lost extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

export class Connection {
  readonly #addresses: Addresses;
  readonly #signal: AbortSignal;
  readonly #listener: Listener;
  readonly #timing: Timing;
  readonly #headers: MoreHeaders | undefined;
  #run = "";
  #place: Place = { attempt: 1, seq: 0 };
  /** Which attempt of the run the open stream tells of; undefined until it says so. */
  #telling: number | undefined;
  /** Whether the open stream's ids name the attempt, where it is not the first. */
  #namesAttempts = false;
  #news = 0;
  #ended = false;
  #isByPerson = false;

  /** The signal, once aborted, closes the connection: the server then stops the worker. */
  constructor(
    addresses: Addresses,
    signal: AbortSignal,
    listener: Listener,
    timing: Timing = TIMING,
    headers?: MoreHeaders,
  ) {
    this.#addresses = addresses;
    this.#signal = signal;
    this.#listener = listener;
    this.#timing = timing;
    this.#headers = headers;
  }

  /**
   * Starts a run and follows it until the server closes the stream.
   *
   * Throws `RunFailed` if no terminal event can be fetched, and another error if the signal aborted.
   */
  follow(request: ChatRequest): Promise<void> {
    return this.#toTheEnd(() => this.#start(request));
  }

  /** Like `follow`, for a run that was started before, for instance by this page before it was reloaded. */
  resume(run: string): Promise<void> {
    this.#run = run;
    return this.#toTheEnd(() => this.#resume());
  }

  async #toTheEnd(attempt: () => Promise<void>): Promise<void> {
    let lost = await this.#unlessLost(attempt);
    let tries = 0;
    while (lost && !this.#ended) {
      this.#signal.throwIfAborted();
      if (!this.#run || tries >= this.#timing.resumes) throw new RunFailed(lost.failure);
      this.#listener.onLost();
      await pause(this.#timing.backoffMs * Math.min(2 ** tries, 16), this.#signal);
      const seen = this.#news;
      lost = await this.#unlessLost(() => this.#resume());
      tries = this.#news > seen ? 0 : tries + 1;
    }
  }

  async #unlessLost(attempt: () => Promise<void>): Promise<Lost | undefined> {
    try {
      await attempt();
      return undefined;
    } catch (cause) {
      if (cause instanceof Lost) return cause;
      if (cause instanceof FrameTooLong) throw new RunFailed(BAD_RESPONSE);
      throw cause;
    }
  }

  async #start(request: ChatRequest): Promise<void> {
    const { start } = this.#addresses;
    const given = this.#headers?.({ starts: true });
    const more = given instanceof Promise ? await orLost(given) : given;
    return this.#exchange(start, posting(start, request, more), refusal);
  }

  async #resume(): Promise<void> {
    const given = this.#headers?.({ starts: false });
    const more = given instanceof Promise ? await orLost(given) : given;
    const headers = { "Last-Event-ID": idOf(this.#run, this.#place), ...more };
    return this.#exchange(this.#addresses.events(this.#run), { headers }, async (response) => {
      if (response.status === 404) return new RunFailed(WORKER_LOST);
      const refused = await refusal(response);
      return refused.failure.retryable ? new Lost(NETWORK) : refused;
    });
  }

  async #exchange(address: string, init: RequestInit, refused: (response: Response) => Promise<Error>): Promise<void> {
    const abort = new AbortController();
    const close = () => abort.abort();
    this.#signal.addEventListener("abort", close);
    const silence = new Silence(this.#timing.silenceMs, close);
    try {
      this.#signal.throwIfAborted();
      const headers = { Accept: "text/event-stream", ...init.headers };
      const request = {
        ...init,
        headers,
        credentials: "same-origin",
        cache: "no-store",
        signal: abort.signal,
      } as const;
      const response = await orLost(fetch(address, request));
      if (!response.ok) throw await refused(response);
      // The server has no more events, and the terminal event was not among them.
      if (response.status === 204) throw new RunFailed(WORKER_LOST);
      await this.#read(response, silence);
    } finally {
      silence.end();
      this.#signal.removeEventListener("abort", close);
      close();
    }
  }

  async #read(response: Response, silence: Silence): Promise<void> {
    const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    if (!isStream || !response.body) throw new RunFailed(BAD_RESPONSE);
    this.#run = response.headers.get("X-Agent-Run") ?? this.#run;
    const at = Date.parse(response.headers.get("Date") ?? "");
    this.#listener.onOpen(this.#run, Number.isNaN(at) ? undefined : at);
    const reader = response.body.getReader();
    const parser = new SseParser();
    [this.#telling, this.#namesAttempts] = [undefined, false];
    // Reads on after the terminal event: closing the connection now could interrupt the worker's clean-up.
    for (let chunk = await orLost(reader.read()); !chunk.done; chunk = await orLost(reader.read())) {
      silence.heard();
      for (const frame of parser.push(chunk.value)) this.#take(frame, silence);
    }
    if (!this.#ended) throw new Lost(WORKER_LOST);
  }

  #take({ data, id }: Frame, silence: Silence): void {
    const event = readEvent(data);
    if (!event || this.#ended) return;
    if (event.v !== 1) throw new RunFailed(UNSUPPORTED_VERSION);
    const attempt = this.#attemptOf(event, id);
    if (attempt < this.#place.attempt) return; // it was lost, and a later one has begun
    if (attempt > this.#place.attempt) this.#place = { attempt, seq: 0 };
    // Sent again after a resume; the end is not, and may be the first event of an attempt that never began.
    if (event.seq <= this.#place.seq && !isTerminal(event)) return;
    this.#place = { attempt, seq: event.seq };
    this.#news += 1;
    this.#run = event.run;
    this.#ended = isTerminal(event);
    // The application sends nothing while it runs a tool of its own.
    if (isKnown(event) && event.type === "app_tool_call") silence.allow(Date.parse(event.expires_at) - Date.parse(event.ts));
    if (isKnown(event) && event.type === "start") this.#isByPerson = event.worker === TOOL_WORKER;
    if (event.type === "tool_call" && this.#isByPerson) silence.allow(this.#timing.personsToolMs);
    if (isKnown(event)) this.#listener.onEvent(event);
  }

  /** Which attempt of the run an event is of: its start says so, and the ids of frames where the server writes them. */
  #attemptOf(event: Envelope, id: string): number {
    const named = attemptIn(id);
    this.#namesAttempts ||= named !== undefined;
    if (isKnown(event) && event.type === "start") this.#telling = event.attempt ?? 1;
    else if (this.#namesAttempts) this.#telling = named ?? 1;
    return this.#telling ?? this.#place.attempt;
  }
}

async function orLost<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (cause) {
    if (cause instanceof RunFailed && !cause.failure.retryable) throw cause; // the page's token is refused
    throw new Lost(failureOf(cause));
  }
}
