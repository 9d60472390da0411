import { type Failure, NETWORK, refusal } from "./failure";
import { posting } from "./post";

export type Behavior = "allow" | "deny";

/** The state of an answer that was given on this page. */
export interface Reply {
  behavior: Behavior;
  state: "sending" | "sent" | "failed";
  /** Set in the state "failed". */
  failure?: Failure;
}

/** A question expires: if the server does not respond, the visitor must be able to try again before. */
const PATIENCE_MS = 20_000;

/** Sends the answer to a question. Returns why that failed, or nothing if the server accepted it. */
export async function sendDecision(
  address: string,
  decision: { behavior: Behavior; message?: string },
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { headers, ...init } = posting(decision);
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = setTimeout(stop, PATIENCE_MS);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    const response = await fetch(address, {
      ...init,
      headers: { Accept: "application/json", ...headers },
      credentials: "same-origin",
      cache: "no-store",
      signal: abort.signal,
    });
    return response.ok ? undefined : (await refusal(response)).failure;
  } catch {
    return NETWORK;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
