import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { AgentEvent, EventType } from "../src/events.js";

export type Body = { [K in EventType]: { type: K } & Partial<AgentEvent<K>> }[EventType] | { type: `x_${string}` };
type Answering = (call: Call) => void;

export const RUN = "5f0c0000-0000-4000-8000-000000000001";
export const SESSION = "159f0000-0000-4000-8000-000000000002";

/** A server that behaves as the Laravel application does, on a loopback port, driven by the test. */
export class AgentServer {
  readonly posts: Call[] = [];
  readonly resumes: Call[] = [];
  /** Answers to questions, and the ids of these. */
  readonly decisions: Call[] = [];
  onChat: Answering = (call) => call.open();
  onResume: Answering = (call) => call.refuse(404);
  /** Requests to end the run. */
  readonly aborts: Call[] = [];
  onAbort: Answering = (call) => call.accept();
  onDecision: Answering = (call) => call.accept();
  /** Answers to what the agent asks of a person. */
  readonly answers: Call[] = [];
  onAnswer: Answering = (call) => call.accept();
  /** Words that are said while the agent works. */
  readonly steers: Call[] = [];
  onSteer: Answering = (call) => call.take(`steer-${call.body.text}`);
  /** Requests for a gateway's token. */
  readonly tokens: Call[] = [];
  onToken: Answering = (call) => call.refuse(401);
  /** Requests of recorded conversations. */
  readonly recorded: Call[] = [];
  onRecorded: Answering = (call) => call.refuse(404);
  readonly #http: Server;

  private constructor() {
    this.#http = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<AgentServer> {
    const server = new AgentServer();
    await new Promise<void>((listening) => server.#http.listen(0, "127.0.0.1", listening));
    return server;
  }

  get base(): string {
    return `${this.#origin}/agent`;
  }

  get taskBase(): string {
    return `${this.#origin}/task`;
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((closed) => this.#http.close(closed));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += chunk;
    const call = new Call(request, response, body);
    const asked = `${request.method} ${request.url}`;
    const said = /^POST \/(?:agent\/runs|task)\/([^/]+)\/(permissions|answers|steer)\b/.exec(asked);
    if (asked === "POST /agent/chat" || asked === "POST /task") {
      this.posts.push(call);
      this.onChat(call);
    } else if (asked === `GET /agent/runs/${RUN}/events` || asked === `GET /task/${RUN}/events`) {
      this.resumes.push(call);
      this.onResume(call);
    } else if (asked === `POST /agent/runs/${RUN}/abort` || asked === `POST /task/${RUN}/abort`) {
      this.aborts.push(call);
      this.onAbort(call);
    } else if (asked === "POST /agent/token") {
      this.tokens.push(call);
      this.onToken(call);
    } else if (request.url!.startsWith("/agent/conversations")) {
      this.recorded.push(call);
      this.onRecorded(call);
    } else if (said?.[1] === RUN && said[2] === "permissions") {
      this.decisions.push(call);
      this.onDecision(call);
    } else if (said?.[1] === RUN && said[2] === "answers") {
      this.answers.push(call);
      this.onAnswer(call);
    } else if (said?.[1] === RUN) {
      this.steers.push(call);
      this.onSteer(call);
    } else call.refuse(404);
  }
}

/** One request and the means to answer it, slowly if need be. */
export class Call {
  readonly headers: IncomingMessage["headers"];
  readonly path: string;
  readonly body: {
    prompt?: string;
    conversation?: string;
    attachments?: { name: string; data: string }[];
    behavior?: string;
    message?: string;
    answers?: Record<string, string | string[]>;
    text?: string;
    id?: string;
    title?: string;
  };
  readonly method: string;
  /** Resolves when the client has closed the connection before the answer's end. */
  readonly gone: Promise<void>;
  seq = 0;
  #attempt = 1;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse, body: string) {
    this.headers = request.headers;
    this.path = request.url!;
    this.method = request.method!;
    this.body = body ? JSON.parse(body) : {};
    this.#response = response;
    this.gone = new Promise((gone) => response.on("close", () => response.writableEnded || gone()));
  }

  /** Begins the event stream; `seq` is the last event that the client is known to have, of this attempt of the run. */
  open(seq = 0, attempt = 1): this {
    [this.seq, this.#attempt] = [seq, attempt];
    this.#response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8", "X-Agent-Run": RUN });
    this.#response.flushHeaders();
    return this;
  }

  say(...bodies: Body[]): this {
    return this.write(bodies.map((body) => frame(++this.seq, body, this.#attempt)).join(""));
  }

  /** What is said from now on is of this attempt. */
  again(attempt: number): this {
    [this.seq, this.#attempt] = [0, attempt];
    return this;
  }

  text(text: string, block = 1): this {
    return this.say({ type: "delta", text, block });
  }

  done(text = ""): void {
    const usage = { input_tokens: 10, output_tokens: 3 };
    const numbers = { session_id: SESSION, usage, cost_usd: 0.00044, duration_ms: 1016, turns: 1 };
    this.say({ type: "done", stop_reason: "end_turn", text, ...numbers }).end();
  }

  write(raw: string | Uint8Array): this {
    this.#response.write(raw);
    return this;
  }

  /** Ends the answer in good order. */
  end(): void {
    this.#response.end();
  }

  /** Breaks the connection once what was said has left. */
  cut(): void {
    this.#response.socket!.destroySoon();
  }

  /** Takes a word, under this id. */
  take(id: string): void {
    this.#response.writeHead(202, { "Content-Type": "application/json" }).end(JSON.stringify({ id }));
  }

  /** Answers without a word. */
  accept(): void {
    this.#response.writeHead(204).end();
  }

  refuseRaw(status: number, type: string, body: string): void {
    this.#response.writeHead(status, { "Content-Type": type }).end(body);
  }

  refuse(status: number, json?: object, headers: Record<string, string> = {}): void {
    this.#response.writeHead(status, { "Content-Type": json ? "application/json" : "text/html", ...headers });
    this.#response.end(json ? JSON.stringify(json) : "<h1>Oops</h1>");
  }
}

/** An event as the PHP bridge frames it. */
export function frame(seq: number, body: Body, attempt = 1): string {
  const event = { v: 1, seq, run: RUN, ts: "2026-11-20T23:19:00.004Z", ...body };
  return `id: ${RUN}:${attempt > 1 ? `${attempt}-` : ""}${seq}\nevent: ${body.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export const START = {
  type: "start" as const,
  worker: "agent-chat",
  worker_version: "0.1.0",
  sdk_version: "0.2.186",
  simulated: true,
} satisfies Body;
export const UP = {
  type: "session" as const,
  session_id: SESSION,
  model: "claude-opus-5-5",
  cli_version: "2.1.329",
  tools: [] as string[],
  resumed: false,
} satisfies Body;
