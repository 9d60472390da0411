import type { Fate } from "./answer.js";
import type { Failure } from "./failure.js";
import type { Sent } from "./reply.js";

/** A word that was said while the agent worked. */
export interface Steer {
  /** Of this page's own. */
  id: string;
  /** Id of the control message, by which the run tells what became of it; unknown until the server has answered. */
  message?: string;
  text: string;
  /**
   * "sending" until the server has it, "waiting" until the agent reads it, then "read". "late" if the agent had finished
   * before it could read it, "failed" if the server did not take it.
   */
  state: "sending" | "waiting" | "read" | "late" | "failed";
  /** How many tools the agent had called when it read it. */
  called?: number;
  /** Who said it, as the application names them; known when it was read. */
  actor?: string;
  /** Set in the state "failed". */
  failure?: Failure;
}

/** The server's words for a run that is over, or that takes no more. */
const OVER = [409, 410];

/** The words with what the run has told of them; what is not read at the run's end never will be. */
export function settle(steers: Steer[], fates: Fate[], isOver: boolean): Steer[] {
  if (steers.length === 0) return steers;
  const known = new Set(steers.map(({ message }) => message));
  // What the server answered is lost with a reload: the words are read in the order in which they were said.
  const others = fates.filter(({ id, read }) => read && !known.has(id));
  return steers.map((steer) => {
    const isLost = steer.state === "waiting" && steer.message === undefined;
    const fate = isLost ? others.shift() : fates.find(({ id }) => id === steer.message);
    if (fate?.read) return { ...steer, message: fate.id, state: "read", actor: fate.actor, called: fate.called };
    return steer.state === "waiting" && (fate || isOver) ? { ...steer, state: "late" } : steer;
  });
}

/** The word after the server has answered to it. */
export function sent(steer: Steer, { failure, json }: Sent): Steer {
  if (failure) return OVER.includes(failure.httpStatus ?? 0) ? { ...steer, state: "late" } : { ...steer, state: "failed", failure };
  const message = typeof json?.id === "string" ? json.id : steer.id;
  return { ...steer, message, state: "waiting" };
}

/** The words of a run that begins again: its agent has heard none of them. */
export const missed = (steers: Steer[]): Steer[] =>
  steers.map((steer) =>
    steer.state === "waiting" || steer.state === "read" ? { ...steer, state: "late", called: undefined, actor: undefined } : steer,
  );

/** The words of a page that does not hear any more what the server answers. */
export const left = (steers: Steer[]): Steer[] =>
  steers.map((steer) => (steer.state === "sending" ? { ...steer, state: "waiting" } : steer));
