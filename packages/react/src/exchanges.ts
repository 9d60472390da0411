import { chatAt } from "./addresses.js";
import { AgentStream, type AgentStreamOptions, type AgentView, type SendOptions } from "./agentStream.js";
import { keepHistory, recallHistory } from "./history.js";
import { placeOf, recall } from "./remembered.js";

/** A conversation as a store: its runs one after the other, and what they said, also after a reload. */
export class Conversation {
  /** The run that goes on, or the last one. Subscribe to it: `past` changes only when its view does. */
  readonly stream: AgentStream;
  readonly #place: string;
  #past: AgentView[];

  constructor(options: AgentStreamOptions) {
    this.#place = placeOf((options.addresses ?? chatAt)(options.base).start, options.visitor);
    const running = recall(this.#place);
    const kept = recallHistory(this.#place, running ? undefined : options.conversation);
    // The last one can be tried again, unless another run goes on.
    const initial = running ? undefined : kept.pop();
    this.#past = kept;
    this.stream = new AgentStream({ initial, ...options });
    this.stream.subscribe(this.#note);
  }

  /** The exchanges before the last one. */
  past = (): AgentView[] => this.#past;

  /** Starts a run, as `AgentStream.send` does. */
  send = (prompt: string, options?: SendOptions): boolean => {
    const before = this.#past;
    const view = this.stream.view();
    if (view.prompt !== undefined) this.#past = [...before, view];
    const isSent = this.stream.send(prompt, options);
    if (isSent) keepHistory(this.#place, this.#past);
    else this.#past = before;
    return isSent;
  };

  /** Stops the run, forgets all exchanges, and begins a new conversation. */
  clear = (): void => {
    this.#past = [];
    this.stream.reset();
    keepHistory(this.#place, []);
  };

  #note = (): void => {
    const view = this.stream.view();
    const isOver = view.state === "done" || view.state === "error" || view.state === "stopped";
    // What can be taken up again is not over.
    if (isOver && !recall(this.#place)) keepHistory(this.#place, [...this.#past, view]);
  };
}
