import { chatAt } from "./addresses.js";
import { AgentStream, type AgentStreamOptions, type AgentView, type SendOptions } from "./agentStream.js";
import { type History, tabHistory } from "./history.js";
import { placeOf, recall } from "./remembered.js";

/** A conversation as a store: its runs one after the other, and what they said, also after a reload. */
export class Conversation {
  /** The run that goes on, or the last one. Subscribe to it: `past` changes only when its view does. */
  readonly stream: AgentStream;
  readonly #place: string;
  readonly #history: History;
  #past: AgentView[];

  /** The history is by default that of the tab. */
  constructor(options: AgentStreamOptions, history?: History) {
    this.#place = placeOf((options.addresses ?? chatAt)(options.base).start, options.visitor);
    const running = recall(this.#place);
    this.#history = history ?? tabHistory(this.#place, options.conversation);
    const kept = this.#history.recall(running !== undefined);
    // The last one can be tried again, unless another run goes on.
    const initial = running ? undefined : kept.pop();
    this.#past = kept;
    this.stream = new AgentStream({ ...options, initial: initial ?? options.initial });
    this.stream.subscribe(this.#note);
  }

  /** The exchanges before the last one. */
  past = (): AgentView[] => this.#past;

  /** Takes the exchanges before the last one from elsewhere. */
  learn = (past: AgentView[]): void => {
    this.#past = past;
  };

  /** Starts a run, as `AgentStream.send` does. */
  send = (prompt: string, options?: SendOptions): boolean => {
    const before = this.#past;
    const view = this.stream.view();
    if (view.prompt !== undefined) this.#past = [...before, view];
    const isSent = this.stream.send(prompt, options);
    if (!isSent) this.#past = before;
    return isSent;
  };

  /** Stops the run, forgets all exchanges, and begins a new conversation. */
  clear = (): void => {
    this.#past = [];
    this.stream.reset();
    this.#history.keep([]);
  };

  #note = (): void => {
    const view = this.stream.view();
    const isSent = view.state === "connecting" && !view.reconnecting;
    if (isSent) this.#history.keep(this.#past, view);
    const isOver = view.state === "done" || view.state === "error" || view.state === "stopped";
    // What can be taken up again is not over.
    if (isOver && !recall(this.#place)) this.#history.keep([...this.#past, view]);
  };
}
