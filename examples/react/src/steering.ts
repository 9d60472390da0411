import type { Fate } from "./answer";
import type { Failure } from "./failure";

/** A word that was said while the agent worked. */
export interface Steer {
  id: string;
  text: string;
  /**
   * "sending" until the server has it, "waiting" until the agent reads it, then "read". "late" if the agent had finished
   * before it could read it, "failed" if the server did not take it.
   */
  state: "sending" | "waiting" | "read" | "late" | "failed";
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
  return steers.map((steer) => {
    const fate = fates.find(({ id }) => id === steer.id);
    if (fate?.read) return { ...steer, state: "read", actor: fate.actor, failure: undefined };
    const isOpen = steer.state === "sending" || steer.state === "waiting";
    return isOpen && (fate || isOver) ? { ...steer, state: "late" } : steer;
  });
}

/** The word after the server has answered to it. */
export function sent(steer: Steer, failure: Failure | undefined): Steer {
  if (steer.state !== "sending") return steer;
  if (!failure) return { ...steer, state: "waiting" };
  return OVER.includes(failure.httpStatus ?? 0) ? { ...steer, state: "late" } : { ...steer, state: "failed", failure };
}
