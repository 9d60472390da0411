/** One run of the agent: the SDK's `query`, with what the request asks for and no more. */

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { CanUseTool, Options, SpawnedProcess, SpawnOptions } from "@anthropic-ai/claude-agent-sdk";
import type { ChatRequest } from "./contract.ts";
import { appTools } from "./appTools.ts";
import type { Asked } from "./asked.ts";
import { ended, Failure } from "./ending.ts";
import type { Output, Terminal } from "./output.ts";
import { Steering } from "./steering.ts";
import { Translator } from "./translate.ts";

const STATE = process.env.AGENT_WORKERS_STATE_DIR ?? join(homedir(), ".local/state/agent-workers-node");
const SYSTEM = "You are a helpful assistant. Answer in the language of the user.";
/** What the CLI gets of our environment: nothing else of it reaches the agent. */
const PASSED = /^(PATH|HOME|TMPDIR|LANG|LC_.*|TZ|(HTTPS?|NO)_PROXY|NODE_EXTRA_CA_CERTS|ANTHROPIC_.*)$/i;
const SET = {
  CLAUDE_CODE_MAX_RETRIES: "2", // ten of them would take three minutes
  CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
  DISABLE_AUTOUPDATER: "1",
  ENABLE_TOOL_SEARCH: "false",
};

/** On Linux the CLI gets a SIGTERM even where this process is killed by SIGKILL; else it would go on, and cost money. */
const DIES_WITH_US = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--"] : [];

export class Agent {
  /** When the model has last been heard. */
  heardAt = Date.now();
  readonly #output: Output;
  readonly #asked: Asked;
  readonly #request: ChatRequest;
  readonly steering: Steering;
  #cli: ChildProcess | undefined;
  #missing = false;
  /** The end of what the CLI has written to stderr. */
  #complaint = "";

  constructor(output: Output, asked: Asked, request: ChatRequest) {
    this.#output = output;
    this.#asked = asked;
    this.#request = request;
    this.steering = new Steering(output);
  }

  async run(): Promise<Terminal> {
    const { query } = await import("@anthropic-ai/claude-agent-sdk"); // slow: after `start` has been told
    const translator = new Translator(this.#output, this.#request);
    const options = this.#options(translator);
    let cause: unknown = "it ended without a result";
    try {
      const prompt = this.steering.prompt(this.#request.prompt, () => translator.calling.size > 0);
      for await (const message of query({ prompt, options })) {
        this.heardAt = Date.now();
        translator.take(message);
        this.steering.follow(message);
        if (message.type === "result") return ended(message, translator, this.#request);
      }
    } catch (error) {
      cause = error;
    }
    throw new Failure(this.#missing ? "cli_missing" : "cli_crashed", `${cause} ${this.#complaint}`);
  }

  /** Starts the CLI; the SDK speaks with it. */
  #start({ command, args, cwd, env }: SpawnOptions): SpawnedProcess {
    this.#missing = !existsSync(command);
    const [program = command, ...words] = [...DIES_WITH_US, command, ...args];
    const cli = spawn(program, words, { cwd, env, stdio: "pipe" });
    cli.stderr.on("data", (text) => (this.#complaint = `${this.#complaint}${text}`.slice(-4096)));
    return (this.#cli = cli);
  }

  /** Ends the CLI: at its leisure where it has said all, else at once. */
  async stop(leisurely: boolean): Promise<void> {
    const cli = this.#cli;
    if (!cli || cli.exitCode !== null || cli.signalCode !== null) return;
    const gone = new Promise((resolve) => cli.once("exit", resolve));
    const within = (ms: number) => Promise.race([gone, new Promise((resolve) => setTimeout(resolve, ms))]);
    if (leisurely && !this.steering.astray) await within(1500);
    if (cli.exitCode === null) cli.kill("SIGTERM");
    await within(2000);
    cli.kill("SIGKILL");
    await within(500);
  }

  #options(translator: Translator): Options {
    const { app_tools = [], tools = [], limits, session, output_schema } = this.#request;
    const passed = Object.entries(process.env).filter(([name]) => PASSED.test(name));
    const { $schema: _, ...schema } = output_schema ?? {};
    return {
      ...this.#session(session),
      cwd: STATE,
      env: { ...SET, ...Object.fromEntries(passed), CLAUDE_CONFIG_DIR: join(STATE, "claude") },
      pathToClaudeCodeExecutable: process.env.AGENT_WORKERS_CLI,
      spawnClaudeCodeProcess: (options) => this.#start(options),
      systemPrompt: this.#request.system_prompt ?? SYSTEM,
      extraArgs: { "system-prompt-snapshot": "off" }, // else a resumed session keeps that of its first run
      model: this.#request.model,
      fallbackModel: this.#request.fallback_model,
      maxTurns: this.#request.max_turns ?? 20,
      maxBudgetUsd: limits?.max_budget_usd,
      includePartialMessages: true,
      verbatimPrompts: true, // no @file, no /command
      settingSources: [],
      strictMcpConfig: true,
      tools,
      mcpServers: app_tools.length > 0 ? { app: appTools(app_tools, this.#asked, translator) } : {},
      canUseTool: this.#answerer(translator),
      ...(this.#request.thinking && { thinking: { type: "adaptive", display: "summarized" } }),
      ...(output_schema && { outputFormat: { type: "json_schema", schema } }),
    };
  }

  /** Puts the agent's questions to the user; everything else that would need consent is denied. */
  #answerer(translator: Translator): CanUseTool {
    return async (tool, input, { toolUseID }) => {
      if (tool.startsWith("mcp__app__")) return { behavior: "allow", updatedInput: input }; // the application may refuse
      if (tool !== "AskUserQuestion") return { behavior: "deny", message: "This is not allowed here." };
      await translator.told(toolUseID);
      const items = (input.questions as Question[]).map(({ multiSelect, ...item }) => ({ ...item, multi: !!multiSelect }));
      const answers = await this.#asked.question(items, toolUseID, this.#request.limits?.question_timeout_s ?? 120);
      if (!answers) return { behavior: "deny", message: "Nobody answered. Choose what is most reasonable, and say so." };
      const said = Object.entries(answers).map(([question, answer]) => [question, [answer].flat().join(", ")]);
      return { behavior: "allow", updatedInput: { ...input, answers: Object.fromEntries(said) } };
    };
  }

  /** Which conversation it is. A file of each says whose: nobody else goes on with it. */
  #session(session: ChatRequest["session"]) {
    mkdirSync(join(STATE, "owners"), { recursive: true, mode: 0o700 });
    const owner = JSON.stringify(this.#request.session_owner ?? null);
    const file = (id: string) => join(STATE, "owners", id);
    if (session && "resume" in session) {
      if (readOr(file(session.resume)) !== owner) throw new Failure("session_not_found");
      if (!session.fork) return { resume: session.resume };
    }
    const sessionId = session && "id" in session ? session.id : randomUUID();
    try {
      writeFileSync(file(sessionId), owner, { flag: "wx", mode: 0o600 }); // of two at once, one has it
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "EEXIST" ? new Failure("session_exists") : error;
    }
    return session && "resume" in session ? { resume: session.resume, forkSession: true, sessionId } : { sessionId };
  }
}

interface Question {
  question: string;
  header?: string;
  options: { label: string; description?: string }[];
  multiSelect?: boolean;
}

function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
