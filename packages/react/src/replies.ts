import type { Failure } from "./failure.js";

export type Behavior = "allow" | "deny";

/** The answer to each question by its text: an option's label, a text of one's own, or a list of these. */
export type Answers = Record<string, string | string[]>;

/** An answer that was given on this page, to a permission or to a question, and its state. */
export interface Reply {
  /** Set for a permission. */
  behavior?: Behavior;
  /** Set for a question. */
  answers?: Answers;
  state: "sending" | "sent" | "failed";
  /** Set in the state "failed". */
  failure?: Failure;
}
