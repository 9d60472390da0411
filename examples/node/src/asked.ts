/** What the run asks whoever started it, and waits for: calls of the application's tools, and questions to the user. */

import { randomUUID } from "node:crypto";
import type { AnswerMessage, AppToolOutputMessage, AppToolResultMessage, QuestionItem } from "./contract.ts";
import type { Output } from "./output.ts";

interface Open<Answer> {
  toolUseId: string;
  fits: (answer: Answer) => boolean;
  settle: (answer: Answer | "timeout" | "abort") => void;
}

export class Asked {
  readonly #output: Output;
  readonly #calls = new Map<string, Open<AppToolResultMessage>>();
  readonly #questions = new Map<string, Open<AnswerMessage>>();

  constructor(output: Output) {
    this.#output = output;
  }

  /** Whether somebody else is at work, so that silence is no fault of the model. */
  get waiting(): boolean {
    return this.#calls.size + this.#questions.size > 0;
  }

  /** Has the application run its tool; nothing where no result comes in time. */
  async call(name: string, input: Record<string, unknown>, toolUseId: string, timeoutS: number) {
    const call_id = randomUUID();
    const expires_at = inSeconds(timeoutS);
    const result = this.#wait(this.#calls, call_id, toolUseId, timeoutS, () => true);
    this.#output.emit({ type: "app_tool_call", call_id, name, input, expires_at, tool_use_id: toolUseId });
    const settled = await result;
    return typeof settled === "string" ? undefined : settled;
  }

  /** Asks the user; nothing where nobody answers in time. */
  async question(questions: QuestionItem[], toolUseId: string, timeoutS: number) {
    const question_id = randomUUID();
    const expires_at = inSeconds(timeoutS);
    const answer = this.#wait(this.#questions, question_id, toolUseId, timeoutS, (said) => answersAll(said, questions));
    this.#output.emit({ type: "question", question_id, tool_use_id: toolUseId, questions, expires_at });
    const settled = await answer;
    return typeof settled === "string" ? undefined : settled.answers;
  }

  /** Takes what the caller sends; returns why it changes nothing, where it does not. */
  take(message: AppToolResultMessage | AppToolOutputMessage | AnswerMessage, toolOutput: boolean): string | undefined {
    const open = message.type === "answer" ? this.#questions.get(message.question_id) : this.#calls.get(message.call_id);
    if (!open) return "not_pending";
    if (!open.fits(message as never)) return "invalid_message";
    this.#output.emit({ type: "ack", id: message.id, ok: true });
    if (message.type !== "app_tool_output") open.settle(message as never);
    else if (toolOutput) {
      this.#output.emit({ type: "tool_output", tool_use_id: open.toolUseId, stream: "stdout", text: message.text });
    }
    return undefined;
  }

  /** Settles what is open, where the run is over. */
  abort(): void {
    for (const open of [...this.#calls.values(), ...this.#questions.values()]) open.settle("abort");
  }

  #wait<A extends AnswerMessage | AppToolResultMessage>(
    all: Map<string, Open<A>>, id: string, toolUseId: string, timeoutS: number, fits: (answer: A) => boolean,
  ): Promise<A | "timeout" | "abort"> {
    return new Promise((resolve) => {
      const settle = (answer: A | "timeout" | "abort") => {
        clearTimeout(timer);
        all.delete(id);
        if (all === (this.#questions as Map<string, unknown>)) this.#tell(id, answer);
        resolve(answer);
      };
      const timer = setTimeout(() => settle("timeout"), timeoutS * 1000);
      all.set(id, { toolUseId, fits, settle });
    });
  }

  #tell(question_id: string, answer: AnswerMessage | AppToolResultMessage | "timeout" | "abort"): void {
    const by = typeof answer === "string" ? answer : "client";
    const given: Partial<AnswerMessage> = typeof answer !== "string" && "answers" in answer ? answer : {};
    const { actor, signature } = given;
    const said = { ...(actor !== undefined && { actor }), ...(signature !== undefined && { signature }) };
    this.#output.emit({ type: "question_resolved", question_id, by, ...said });
  }
}

function answersAll({ answers }: AnswerMessage, questions: QuestionItem[]): boolean {
  const fits = ({ question, multi }: QuestionItem) =>
    Object.hasOwn(answers, question) && (multi || typeof answers[question] === "string");
  return Object.keys(answers).length === questions.length && questions.every(fits);
}

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
