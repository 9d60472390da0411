/**
 * Streams an agent's answer without a framework or a build step.
 *
 *     const end = await streamAgent({ base: "/agent", prompt: "Hello", onEvent: (event) => console.log(event) });
 *
 * `fetch` starts the run: EventSource can neither POST nor send a CSRF header. EventSource only follows a run that has
 * been started, where its own reconnecting (with `Last-Event-ID`) can't start, and cost, a second one.
 *
 * @typedef {{ v: number, seq: number, run: string, type: string, [field: string]: any }} AgentEvent
 */

const TERMINAL = ["done", "error", "aborted"];
// EventSource hears only the types that it is told to listen for; "error" is added apart.
const TYPES = `start session delta thinking discard tool_call tool_output tool_result permission_request
  permission_resolved question question_resolved steered app_tool_call task retry notice ping ack done aborted`.split(/\s+/);
const SILENCE_MS = 45_000;
const MAX_FRAME = 1024 * 1024;
const RECONNECTS = 5;

/** Raised when no terminal event can be had. `code` is the contract's, or "http_422" and the like. */
export class AgentError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Starts a run and resolves with its terminal event. Aborting the signal closes the connection; `abortRun` stops the run
 * also where the server would let it go on.
 *
 * @param {{ base: string, start?: string, prompt?: string, conversation?: string, signal?: AbortSignal,
 *   csrfToken?: string, onEvent: (event: AgentEvent) => void }} options `start` is the address of a route of your own
 * @returns {Promise<AgentEvent>}
 */
export async function streamAgent({ base, start = `${base}/chat`, prompt, conversation, signal, csrfToken, onEvent }) {
  const connection = new AbortController();
  const close = () => connection.abort();
  const silence = onSilence(close);
  signal?.addEventListener("abort", close, { once: true });
  let run = "";
  const place = { attempt: 1, seq: 0 };
  const isNew = reading(place);
  try {
    signal?.throwIfAborted();
    const headers = {
      Accept: "text/event-stream",
      "Content-Type": "application/json",
      "X-CSRF-TOKEN": csrfToken ?? "",
    };
    const body = JSON.stringify({ prompt, conversation });
    const init = /** @type {const} */ ({ method: "POST", headers, body, credentials: "same-origin" });
    const response = await fetch(start, { ...init, signal: connection.signal });
    if (!response.ok || !response.body) throw await refusal(response);
    run = response.headers.get("X-Agent-Run") ?? "";
    for await (const data of frames(response.body)) {
      silence.heard();
      const event = readEvent(data);
      if (!event || !isNew(event)) continue;
      run = event.run;
      onEvent(event);
      if (TERMINAL.includes(event.type)) return event;
    }
  } catch (cause) {
    close();
    if (signal?.aborted || cause instanceof AgentError || !run) throw cause;
  } finally {
    silence.end();
  }
  if (!run) throw new AgentError("bad_response", "The server sent no events.");
  return followRun({ base, run, after: place.seq, attempt: place.attempt, signal, onEvent });
}

/**
 * Ends a run at the server, which might let it go on without a reader. False where the server could not be told.
 *
 * @param {{ base: string, run: string, csrfToken?: string }} options
 * @returns {Promise<boolean>}
 */
export async function abortRun({ base, run, csrfToken }) {
  const headers = { Accept: "application/json", "X-CSRF-TOKEN": csrfToken ?? "" };
  const init = /** @type {const} */ ({ method: "POST", headers, credentials: "same-origin", keepalive: true });
  const answer = await fetch(`${base}/runs/${encodeURIComponent(run)}/abort`, init).catch(() => undefined);
  return answer !== undefined && (answer.ok || answer.status === 404 || answer.status === 410); // these: nothing to stop
}

/**
 * Follows a run that was started before, for instance by this page before it was reloaded; skips the first `after` events
 * of its `attempt`, and all of those before that one.
 *
 * @param {{ base: string, run: string, after?: number, attempt?: number, signal?: AbortSignal, onEvent: (event: AgentEvent) => void }} options
 * @returns {Promise<AgentEvent>}
 */
export function followRun({ base, run, after = 0, attempt = 1, signal, onEvent }) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`${base}/runs/${encodeURIComponent(run)}/events`);
    const isNew = reading({ attempt, seq: after });
    let failures = 0;
    const lost = () => end(() => reject(new AgentError("network", "The connection was lost.")));
    const silence = onSilence(lost);
    /** @param {() => void} act */
    const end = (act) => {
      silence.end();
      source.close();
      act();
    };
    /** @param {MessageEvent} message */
    const take = ({ data }) => {
      silence.heard();
      const event = readEvent(data);
      if (!event || !isNew(event)) return;
      failures = 0;
      onEvent(event);
      if (TERMINAL.includes(event.type)) end(() => resolve(event));
    };
    const failed = () => {
      const over = source.readyState === EventSource.CLOSED; // HTTP 204: nothing is left; 404: no such run
      failures += 1;
      if (over) end(() => reject(new AgentError("worker_lost", "The answer broke off before its end.")));
      else if (failures > RECONNECTS) lost();
    };
    for (const type of TYPES) source.addEventListener(type, take);
    // Our event of the type "error" and EventSource's own "error" share a name; only ours brings data.
    source.addEventListener("error", (event) =>
      "data" in event ? take(/** @type {MessageEvent} */ (event)) : failed(),
    );
    signal?.addEventListener("abort", () => end(() => reject(signal.reason)), { once: true });
  });
}

/**
 * Tells which events of a run are new. A `start` with an `attempt` of 2 or more begins the run again, since its worker was
 * lost: `seq` counts from 1 again, and whoever shows the run forgets what it had of it.
 *
 * @param {{ attempt: number, seq: number }} place the last event that is known; it is kept up to date
 * @returns {(event: AgentEvent) => boolean}
 */
function reading(place) {
  let telling = place.attempt;
  return (event) => {
    if (event.type === "start") telling = event.attempt ?? 1;
    if (telling < place.attempt) return false; // sent again, of an attempt that was lost
    if (telling > place.attempt) Object.assign(place, { attempt: telling, seq: 0 });
    // The end comes once, and may be the first event of an attempt that never began.
    if (event.seq <= place.seq && !TERMINAL.includes(event.type)) return false;
    place.seq = event.seq;
    return true;
  };
}

/**
 * The data of each frame. Chunks may end anywhere, also inside a character or between CR and LF.
 *
 * @param {ReadableStream<Uint8Array>} body
 */
async function* frames(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  /** @type {string[]} */
  let data = [];
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    rest += decoder.decode(chunk.value, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/); // a CR at the very end may be half of a CRLF
    rest = lines.pop() ?? "";
    if (rest.length > MAX_FRAME) throw new AgentError("bad_response", "A frame is too long.");
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      if (line !== "") continue;
      if (data.length > 0) yield data.join("\n");
      data = [];
    }
  }
}

/** @param {() => void} ring Called after 45 seconds in which `heard` was not. */
function onSilence(ring) {
  let timer = setTimeout(ring, SILENCE_MS);
  const end = () => clearTimeout(timer);
  const heard = () => {
    end();
    timer = setTimeout(ring, SILENCE_MS);
  };
  return { heard, end };
}

/** @param {string} data @returns {AgentEvent | undefined} */
function readEvent(data) {
  try {
    const event = JSON.parse(data);
    return event?.v === 1 && event.seq ? event : undefined;
  } catch {
    return undefined; // a heartbeat or an end marker of the server's own
  }
}

// The codes by which programs colour and move what they print, then characters that show nothing.
const CODES = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|(?![\n\r\t])[\x00-\x1f\x7f-\x9f]/g;
const SHOWN = 20_000;

/**
 * What a tool has printed, as plain text: of each line its last state, without colours, and of much the end.
 *
 * @param {string} text
 */
export function printed(text) {
  const lines = text.replace(CODES, "").split("\n");
  return lines.map((line) => line.replace(/\r+$/, "").replace(/^.*\r/, "")).join("\n").slice(-SHOWN);
}

/** @param {Response} response */
async function refusal(response) {
  const { message } = Object(await response.json().catch(() => ({})));
  return new AgentError(`http_${response.status}`, message || `The server refused the request (${response.status}).`);
}
