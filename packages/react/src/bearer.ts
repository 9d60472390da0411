import { BAD_RESPONSE, refusal, RunFailed } from "./failure.js";
import { type MoreHeaders, posting } from "./post.js";

/** A token is not used any more when it has less than this left: a request may be on its way for long. */
const LEAST_MS = 10_000;
const PATIENCE_MS = 20_000;

interface Granted {
  token: string;
  /** Time (ms since the epoch) from which it is not used any more. */
  until: number;
}

/**
 * Headers for a gateway: its token comes from a route of the application, such as Laravel's `POST /agent/token`. Each
 * start of a run gets a token of its own; whatever follows it shares one as long as that lives.
 */
export function bearerFrom(address: string): MoreHeaders {
  let latest: Promise<Granted> | undefined;
  const granted = async (starts: boolean): Promise<Granted> => {
    const known = starts ? undefined : await latest?.catch(() => undefined);
    if (known && Date.now() < known.until) return known;
    latest = fetched(address);
    return latest;
  };
  return async ({ starts }) => ({ Authorization: `Bearer ${(await granted(starts)).token}` });
}

async function fetched(address: string): Promise<Granted> {
  const asked = Date.now();
  const { headers, ...init } = posting(address, {});
  const response = await fetch(address, {
    ...init,
    headers: { Accept: "application/json", ...headers },
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok) throw await refusal(response);
  const { token, expires_in } = Object(await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (typeof token !== "string" || typeof expires_in !== "number") throw new RunFailed(BAD_RESPONSE);
  return { token, until: asked + expires_in * 1000 - LEAST_MS };
}
