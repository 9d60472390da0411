import { type Failure, failureOf, refusal } from "./failure.js";
import { type MoreHeaders, posting } from "./post.js";

/** Unknown, or over: the server has nothing left to stop. */
const NOTHING_TO_STOP = [404, 410];

/** Asks the server to stop a run. Returns why that failed, or nothing if it worked. */
export async function endRun(address: string, more?: MoreHeaders): Promise<Failure | undefined> {
  try {
    const given = more?.({ starts: false });
    const { headers, ...init } = posting(address, {}, given instanceof Promise ? await given : given);
    const response = await fetch(address, {
      ...init,
      headers: { Accept: "application/json", ...headers },
      credentials: "same-origin",
      cache: "no-store",
      keepalive: true, // also where the page is left at once
    });
    const isOver = response.ok || NOTHING_TO_STOP.includes(response.status);
    return isOver ? undefined : (await refusal(response)).failure;
  } catch (cause) {
    return failureOf(cause);
  }
}
