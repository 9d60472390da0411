/** The conversations that the server has recorded of a visitor. */

import { type AgentView, idle } from "./agentStream.js";
import type { AgentEvent, EventType, Json } from "./events.js";
import { type Failure, failureOf, NETWORK, refusal } from "./failure.js";
import { type MoreHeaders, posting } from "./post.js";
import type { Entry } from "./shelf.js";
import type { Steer } from "./steering.js";
import { Transcript } from "./transcript.js";

/** Something that was said or done in a run. A field is null or absent where it is not kept. */
export interface RecordedMessage {
  seq: number;
  kind: string;
  content: unknown;
  name?: string;
  tool_use_id?: string;
  status?: string;
  actor?: string;
  at: string;
}

export interface RecordedRun {
  id: string;
  status: "running" | "done" | "error" | "aborted";
  code: string | null;
  /** What to tell of one that failed. */
  error: string | null;
  stop_reason: string | null;
  ended_at: string | null;
  messages: RecordedMessage[];
}

interface Summary {
  id: string;
  session: string | null;
  title: string | null;
  updated_at: string;
}

interface Shown {
  conversation: Summary;
  runs: RecordedRun[];
}

/** Raised when the server does not show, rename or delete a conversation. */
export class NotRecorded extends Error {
  override name = "NotRecorded";
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

const escape = encodeURIComponent;

/** The routes for recorded conversations. */
export class Recorded {
  readonly #address: string;
  readonly #headers: MoreHeaders | undefined;

  /** @param address that of the list, without a slash at the end */
  constructor(address: string, headers?: MoreHeaders) {
    this.#address = address;
    this.#headers = headers;
  }

  /** The latest ones, the newest first. */
  async list(): Promise<Entry[]> {
    const { conversations } = (await this.#ask("GET", "")) as { conversations: Summary[] };
    return conversations.map(({ id, title, updated_at }) => ({ id, title: title ?? "", at: Date.parse(updated_at) }));
  }

  /** What was said in a conversation, the oldest first. */
  async show(id: string): Promise<AgentView[]> {
    const { conversation, runs } = (await this.#ask("GET", `/${escape(id)}`)) as unknown as Shown;
    return runs.map((run) => viewOf(run, conversation.session ?? conversation.id));
  }

  async rename(id: string, title: string): Promise<void> {
    await this.#ask("PATCH", `/${escape(id)}`, { title });
  }

  async remove(id: string): Promise<void> {
    await this.#ask("DELETE", `/${escape(id)}`);
  }

  async #granted(headers: Promise<Record<string, string>>): Promise<Record<string, string>> {
    try {
      return await headers;
    } catch (cause) {
      throw new NotRecorded(failureOf(cause));
    }
  }

  async #ask(method: string, path: string, body?: object): Promise<Json> {
    const address = this.#address + path;
    const given = this.#headers?.({ starts: false });
    const { headers, ...posted } = posting(address, body, given instanceof Promise ? await this.#granted(given) : given);
    const init = method === "GET" ? {} : posted;
    const asked = { ...init, method, headers: { Accept: "application/json", ...headers } };
    const response = await fetch(address, { ...asked, credentials: "same-origin", cache: "no-store" }).catch(() => undefined);
    if (!response) throw new NotRecorded(NETWORK);
    if (!response.ok) throw new NotRecorded((await refusal(response)).failure);
    return Object(await response.json().catch(() => ({}))) as Json;
  }
}

/** A recorded run as the page shows one that has just ended. */
export function viewOf(run: RecordedRun, conversation: string): AgentView {
  const transcript = new Transcript();
  for (const event of eventsOf(run)) transcript.apply(event);
  const answer = transcript.answer();
  const question = run.messages.find(({ kind }) => kind === "question");
  const view = { ...idle(conversation), ...answer, prompt: promptOf(question?.content), steers: steersOf(run) };
  if (run.status === "done") return { ...view, state: "done" };
  if (run.status !== "error") return { ...view, state: "stopped", stoppedBy: (run.code ?? "user") as AgentView["stoppedBy"] };
  const error: Failure = { code: run.code ?? "internal", message: run.error ?? "", retryable: false };
  return { ...view, state: "error", error };
}

/** The events that left these messages, as far as they tell. */
function eventsOf(run: RecordedRun): AgentEvent[] {
  const at = run.messages[0]?.at ?? run.ended_at ?? "";
  const event = <T extends EventType>(type: T, seq: number, ts: string, body: object) =>
    ({ v: 1, seq, run: run.id, ts, type, ...body }) as unknown as AgentEvent<T>;
  const said = run.messages.flatMap(({ seq, kind, content, name = "", tool_use_id, status, actor, at: ts }): AgentEvent[] => {
    const of = { tool_use_id, name };
    switch (kind) {
      case "text":
        return [event("delta", seq, ts, { text: textOf(content), block: seq })];
      case "tool_call":
        return [event("tool_call", seq, ts, { ...of, input: Object(content ?? {}) })];
      case "tool_result":
        return [event("tool_result", seq, ts, { ...of, status, content: textOf(content) })];
      case "permission": {
        const permission_id = `${run.id}:${seq}`;
        const { by = "client" } = Object(content ?? {}) as { by?: string };
        return [
          event("permission_request", seq, ts, { ...of, permission_id, input: {}, expires_at: ts }),
          event("permission_resolved", seq, ts, { permission_id, behavior: status, by, actor }),
        ];
      }
      default:
        return [];
    }
  });
  return [event("start", 1, at, { worker: "", simulated: false }), ...said];
}

function steersOf({ id, messages }: RecordedRun): Steer[] {
  let called = 0;
  return messages.flatMap(({ kind, content, seq, actor }): Steer[] => {
    if (kind === "tool_call") called++;
    const isKept = kind === "steer" && typeof content === "string";
    return isKept ? [{ id: `${id}:${seq}`, text: content, state: "read", actor, called }] : [];
  });
}

const textOf = (content: unknown): string =>
  typeof content === "string" ? content : content == null ? "" : JSON.stringify(content);

/** A question's text: of blocks, that of those that have some; of a tool that a person ran, what it was given. */
function promptOf(question: unknown): string {
  if (!Array.isArray(question)) return textOf(question);
  const texts = question.map((block) => (Object(block) as { text?: unknown }).text);
  return texts.filter((text) => typeof text === "string").join("\n");
}
