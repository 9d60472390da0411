import { type Failure, failureOf, refusal } from "./failure.js";
import { type MoreHeaders, posting } from "./post.js";

/** What became of something that was sent: a failure, or what the server said to it. */
export interface Sent {
  failure?: Failure;
  json?: Record<string, unknown>;
}

/** What waits for a reply expires: if the server does not respond, the visitor must be able to try again before. */
const PATIENCE_MS = 20_000;

/** Posts something that a person says to a run. */
export async function sendReply(
  address: string,
  reply: object,
  signal: AbortSignal,
  more?: MoreHeaders,
): Promise<Sent> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = setTimeout(stop, PATIENCE_MS);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    const given = more?.({ starts: false });
    const { headers, ...init } = posting(address, reply, given instanceof Promise ? await given : given);
    const response = await fetch(address, {
      ...init,
      headers: { Accept: "application/json", ...headers },
      credentials: "same-origin",
      cache: "no-store",
      signal: abort.signal,
    });
    if (!response.ok) return { failure: (await refusal(response)).failure };
    return { json: Object(await response.json().catch(() => ({}))) };
  } catch (cause) {
    return { failure: failureOf(cause) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
