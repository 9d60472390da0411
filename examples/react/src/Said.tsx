import type { Steer } from "./steering";

export interface SaidProps {
  steers: Steer[];
  /** Sends the text as the next prompt; absent for exchanges that are over. */
  onResend?: (text: string) => void;
}

const STATES: Record<Steer["state"], string> = {
  sending: "Sending…",
  waiting: "Waiting to be read.",
  read: "Read.",
  late: "Too late: the agent did not read it.",
  failed: "Not sent.",
};

/** The words that were said while the agent worked, and what became of each. */
export function Said({ steers, onResend }: SaidProps) {
  if (steers.length === 0) return null;
  return (
    <ul className="said" aria-label="Said in between">
      {steers.map(({ id, text, state, actor, failure }) => (
        <li key={id} className={state} data-testid="steer">
          <p className="prompt">{text}</p>
          <p className="note" role={state === "late" || state === "failed" ? "alert" : "status"}>
            {STATES[state]} {state === "read" && actor && <small>({actor})</small>}
            {failure && (
              <>
                {failure.message} <small>({failure.code})</small>
              </>
            )}
            {onResend && (state === "late" || state === "failed") && (
              <button type="button" onClick={() => onResend(text)}>
                Send as the next message
              </button>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}
