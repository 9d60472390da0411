import type { Steer } from "./steering.js";

export interface SaidProps {
  steers: Steer[];
  /** Whether the agent works. */
  busy?: boolean;
  /** Sends the word again, as the next prompt if no agent works; absent for exchanges that are over. */
  onResend?: (steer: Steer) => void;
}

const STATES: Record<Steer["state"], string> = {
  sending: "Sending…",
  waiting: "Waiting to be read.",
  read: "Read.",
  late: "Too late: the agent did not read it.",
  failed: "Not sent.",
};

/** The words that were said while the agent worked, and what became of each. */
export function Said({ steers, busy, onResend }: SaidProps) {
  if (steers.length === 0) return null;
  return (
    <ul className="said" data-part="said" aria-label="Said in between">
      {steers.map((steer) => (
        <li key={steer.id} className={steer.state} data-testid="steer">
          <p className="prompt">{steer.text}</p>
          <Fate steer={steer} busy={busy} onResend={onResend} />
        </li>
      ))}
    </ul>
  );
}

function Fate({ steer, busy, onResend }: Omit<SaidProps, "steers"> & { steer: Steer }) {
  const { state, actor, failure } = steer;
  const isLost = state === "failed" || state === "late";
  const mayResend = state === "failed" || (state === "late" && !busy);
  return (
    <p className="note" role={isLost ? "alert" : "status"}>
      {STATES[state]} {state === "read" && actor && <small>({actor})</small>}
      {failure && (
        <>
          {failure.message} <small>({failure.code})</small>
        </>
      )}
      {onResend && mayResend && (
        <button type="button" onClick={() => onResend(steer)}>
          {busy ? "Send again" : "Send as the next message"}
        </button>
      )}
    </p>
  );
}
