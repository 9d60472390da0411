// Generated from schemas/v1/*.schema.json by `make types` (json-schema-to-typescript). Do not edit.
// Made of ea3b8453916f4b32fcc6e4fde02051be53ccd06f3a8737708e6a31fabc0993d3; what follows is 52bbf31c4c4cdaac52deaddde81b12903f234e042dc0f9fad9556557ab893fbd.

/**
 * Whatever goes through a worker's pipes, and what waits for one.
 */
export type AgentLine = AgentRequest | AgentJob | ControlMessage | AgentEvent;
/**
 * What a worker reads first; each worker has its own.
 */
export type AgentRequest = ChatRequest | SkillRequest | TaskRequest | ToolRequest;
/**
 * A request that waits for a machine: the fields of its worker's request, and beside them, flat, how it waits and how often it is tried.
 */
export type AgentJob = ChatJob | TaskJob | ToolJob | SkillJob;
/**
 * One line that the caller writes to stdin, after the request, under --control.
 */
export type ControlMessage =
  AbortMessage | PermissionMessage | AppToolResultMessage | AppToolOutputMessage | AnswerMessage | SteerMessage;
/**
 * One line of a run's output. Ignore types and fields that are not here: newer workers send more.
 */
export type AgentEvent =
  | AbortedEvent
  | AckEvent
  | AppToolCallEvent
  | DeltaEvent
  | DiscardEvent
  | DoneEvent
  | ErrorEvent
  | NoticeEvent
  | PermissionRequestEvent
  | PermissionResolvedEvent
  | PingEvent
  | QuestionEvent
  | QuestionResolvedEvent
  | RetryEvent
  | SessionEvent
  | StartEvent
  | SteeredEvent
  | TaskEvent
  | ThinkingEvent
  | ToolCallEvent
  | ToolOutputEvent
  | ToolResultEvent;

/**
 * What one run is asked to do. Only `prompt` is required; unknown fields are refused.
 */
export interface ChatRequest {
  /**
   * Version of the contract.
   */
  v?: 1;
  /**
   * Id of the run, repeated in each of its events. A new UUID when absent.
   */
  run?: string;
  /**
   * What the user says: text, or a list of content blocks; not only blanks.
   */
  prompt: string | (TextBlock | ImageBlock | DocumentBlock)[];
  /**
   * Instructions for the model. The worker's own when absent.
   */
  system_prompt?: string;
  /**
   * Name of the model. The CLI's default when absent; in a resumed session, the last one.
   */
  model?: string;
  /**
   * Model to use while the first one is overloaded. None when absent.
   */
  fallback_model?: string;
  /**
   * What does the work. `agent`: an agent, with all that it can do. `messages`: the plain Messages API, in a fraction of the time and memory, without tools other than the application's. When absent, that of the session which it resumes; else the first that the host's policy names and that can do it; else `agent`.
   */
  engine?: "agent" | "messages";
  /**
   * Tokens that one answer of the model may have; with `engine` `messages` only. As many as the model can give when absent.
   */
  max_tokens?: number;
  /**
   * How often the model may be called before the run ends. The worker's own when absent.
   */
  max_turns?: number;
  /**
   * Send the model's thinking as `thinking` events.
   */
  thinking?: boolean;
  /**
   * Conversation to continue or to begin. A new one with a new id when absent.
   */
  session?: ResumeSession | NewSession;
  /**
   * Whose conversation it is, in the application's own words, such as the id of a user. A session can be resumed only with the owner that it began with; if it began without one, only without one.
   */
  session_owner?: string;
  /**
   * Bounds on time and money. Omitted fields keep their defaults.
   */
  limits?: Limits;
  /**
   * What is sent during the run. Omitted fields keep their defaults.
   */
  stream?: Stream;
  /**
   * JSON Schema that `done.output` will satisfy; its top level describes an object, and its references stay within it. Plain text only when absent.
   */
  output_schema?: {
    [k: string]: unknown;
  };
  /**
   * The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and the terminal event, never shown to the model.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * What the run is about, among the application's own things. Echoed in `start` and the terminal event, never shown to the model.
   */
  subject?: Subject;
  /**
   * For whom the application runs it, such as the id of a user. Echoed in `start` and the terminal event, never shown to the model.
   */
  user?: string;
  /**
   * What the run is meant to achieve. Echoed in `start` and the terminal event; of a skill's request the model sees it, as data.
   */
  goal?: string;
  /**
   * Which attempt of the run this is; set by what runs it. Echoed in `start` from 2 on. A later attempt begins anew: its events follow those of the lost one under the same `run`, and count from 1 again. 1 when absent.
   */
  attempt?: number;
  /**
   * The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model.
   */
  traceparent?: string;
  /**
   * `AskUserQuestion` lets the agent ask the user, by `question` events; needs --control or --interactive. Nothing else is a tool of a chat.
   */
  tools?: "AskUserQuestion"[];
  /**
   * Tools that the application runs itself, with unique names. Needs --control.
   */
  app_tools?: AppTool[];
}
/**
 * Text.
 */
export interface TextBlock {
  /**
   * Kind of block.
   */
  type: "text";
  /**
   * The text; not empty.
   */
  text: string;
}
/**
 * An image.
 */
export interface ImageBlock {
  /**
   * Kind of block.
   */
  type: "image";
  /**
   * Where the image comes from.
   */
  source: Base64Image | WebImage;
}
/**
 * An image sent along with the request.
 */
export interface Base64Image {
  /**
   * Kind of source.
   */
  type: "base64";
  /**
   * Media type of the image.
   */
  media_type: "image/jpeg" | "image/png" | "image/gif" | "image/webp";
  /**
   * The image's bytes in padded base64, without a data: prefix.
   */
  data: string;
}
/**
 * An image that the API fetches itself.
 */
export interface WebImage {
  /**
   * Kind of source.
   */
  type: "url";
  /**
   * Public address of the image.
   */
  url: string;
}
/**
 * A PDF or a text document.
 */
export interface DocumentBlock {
  /**
   * Kind of block.
   */
  type: "document";
  /**
   * Where the document comes from.
   */
  source: Base64Document | PlainDocument | WebDocument;
  /**
   * Title of the document, shown to the model.
   */
  title?: string;
  /**
   * What the model should know about the document.
   */
  context?: string;
}
/**
 * A PDF sent along with the request.
 */
export interface Base64Document {
  /**
   * Kind of source.
   */
  type: "base64";
  /**
   * Media type of the document.
   */
  media_type: "application/pdf";
  /**
   * The document's bytes in padded base64, without a data: prefix.
   */
  data: string;
}
/**
 * A document of plain text.
 */
export interface PlainDocument {
  /**
   * Kind of source.
   */
  type: "text";
  /**
   * Media type of the document.
   */
  media_type: "text/plain";
  /**
   * The document's text.
   */
  data: string;
}
/**
 * A PDF that the API fetches itself.
 */
export interface WebDocument {
  /**
   * Kind of source.
   */
  type: "url";
  /**
   * Public address of the document.
   */
  url: string;
}
/**
 * Continue an earlier conversation.
 */
export interface ResumeSession {
  /**
   * Session id of the conversation, from an earlier `session` or `done` event of the same worker, with the same `cwd` and `session_owner`.
   */
  resume: string;
  /**
   * Continue in a copy with a new session id and leave the original as it is; also while another run is at work in it.
   */
  fork?: boolean;
}
/**
 * Begin a conversation under an id of the caller's choice.
 */
export interface NewSession {
  /**
   * Session id for the new conversation: a UUID that was never used before.
   */
  id: string;
}
/**
 * What the run may use up before it is stopped.
 */
export interface Limits {
  /**
   * Seconds the whole run may take; then it ends with `error` `timeout`. Time in which the worker was stopped (Ctrl-Z, `docker pause`) does not count, here and in all other limits.
   */
  timeout_s?: number;
  /**
   * Seconds the agent may stay silent while no tool runs and no question is open; then the run ends with `error` `idle_timeout`.
   */
  idle_timeout_s?: number;
  /**
   * US dollars the run may cost; checked after each call of the API, so the last one may exceed it. No limit when absent.
   */
  max_budget_usd?: number;
  /**
   * Seconds that a `question` waits for its `answer`; then the agent is told that nobody answered.
   */
  question_timeout_s?: number;
}
/**
 * How the run reports.
 */
export interface Stream {
  /**
   * Send text as the model produces it; false: one `delta` for each finished block.
   */
  partial?: boolean;
  /**
   * Seconds of silence after which a `ping` is sent.
   */
  ping_s?: number;
  /**
   * Send what tools print as `tool_output` events, while they print it.
   */
  tool_output?: boolean;
}
/**
 * What the run is about, among the application's own things.
 */
export interface Subject {
  /**
   * What kind of thing it is, such as `partner`, `deal` or `project`.
   */
  type: string;
  /**
   * Its id in the application.
   */
  id: string;
}
/**
 * A tool that the calling application runs itself.
 */
export interface AppTool {
  /**
   * Name of the tool, unique within the request.
   */
  name: string;
  /**
   * What the tool does and when to use it; written for the model.
   */
  description: string;
  /**
   * JSON Schema of the tool's input; its `type` is "object", and its references stay within it.
   */
  input_schema: {
    type: "object";
  };
  /**
   * Seconds that a call waits for its `app_tool_result`; then it has failed.
   */
  timeout_s?: number;
}
/**
 * Which skill is to run, and on what. The skill brings the instructions and the form of the answer.
 */
export interface SkillRequest {
  /**
   * Version of the contract.
   */
  v?: 1;
  /**
   * Id of the run, repeated in each of its events. A new UUID when absent.
   */
  run?: string;
  /**
   * Name of the skill, as `agent-skill list` shows it.
   */
  skill: string;
  /**
   * What it works on: an object that satisfies the skill's input schema.
   */
  input: {
    [k: string]: unknown;
  };
  /**
   * What the run is about, among the application's own things. Echoed in `start` and the terminal event, never shown to the model.
   */
  subject?: Subject;
  /**
   * For whom the application runs it, such as the id of a user. Echoed in `start` and the terminal event, never shown to the model.
   */
  user?: string;
  /**
   * What the run is meant to achieve. Echoed in `start` and the terminal event; of a skill's request the model sees it, as data.
   */
  goal?: string;
  /**
   * Which attempt of the run this is; set by what runs it. Echoed in `start` from 2 on. A later attempt begins anew: its events follow those of the lost one under the same `run`, and count from 1 again. 1 when absent.
   */
  attempt?: number;
  /**
   * The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model.
   */
  traceparent?: string;
  /**
   * Name of the model. The skill's own when absent.
   */
  model?: string;
  /**
   * Model to use while the first one is overloaded. None when absent.
   */
  fallback_model?: string;
  /**
   * What does the work. The skill's own when absent.
   */
  engine?: "agent" | "messages";
  /**
   * Tokens that one answer of the model may have; with `engine` `messages` only. As many as the model can give when absent.
   */
  max_tokens?: number;
  /**
   * How often the model may be called. The skill's own when absent.
   */
  max_turns?: number;
  /**
   * Send the model's thinking as `thinking` events.
   */
  thinking?: boolean;
  /**
   * Conversation to continue or to begin. A new one with a new id when absent.
   */
  session?: ResumeSession | NewSession;
  /**
   * Whose conversation it is, in the application's own words, such as the id of a user. A session can be resumed only with the owner that it began with; if it began without one, only without one.
   */
  session_owner?: string;
  /**
   * Bounds on time and money. Omitted fields are the skill's own.
   */
  limits?: Limits;
  /**
   * What is sent during the run. Omitted fields keep their defaults.
   */
  stream?: Stream;
  /**
   * The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and the terminal event, never shown to the model.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * Tools that the application runs itself, with unique names. Needs --control.
   */
  app_tools?: AppTool[];
  /**
   * Working directory; needed by a skill with tools, and taken by such a one only.
   */
  cwd?: string;
  /**
   * Further directories in which the agent may work.
   */
  add_dirs?: string[];
  /**
   * MCP servers by name.
   */
  mcp_servers?: {
    [k: string]: StdioServer | HttpServer;
  };
}
/**
 * An MCP server that the agent starts as a process.
 */
export interface StdioServer {
  /**
   * Kind of server.
   */
  type?: "stdio";
  /**
   * Program to start.
   */
  command: string;
  /**
   * Its arguments.
   */
  args?: string[];
  /**
   * Variables to add to its environment.
   */
  env?: {
    [k: string]: string;
  };
  /**
   * If true and the server does not start or answer, the run goes on with a `notice` `mcp_failed`. If false, it ends with `error` `mcp_unavailable` where `tools` names a tool of the server.
   */
  optional?: boolean;
}
/**
 * An MCP server that is reached by HTTP.
 */
export interface HttpServer {
  /**
   * Kind of server.
   */
  type?: "http";
  /**
   * Its address.
   */
  url: string;
  /**
   * Headers to send with each request.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * If true and the server does not start or answer, the run goes on with a `notice` `mcp_failed`. If false, it ends with `error` `mcp_unavailable` where `tools` names a tool of the server.
   */
  optional?: boolean;
}
/**
 * What one run of the task worker is asked to do. Only `prompt` and `cwd` are required.
 */
export interface TaskRequest {
  /**
   * Version of the contract.
   */
  v?: 1;
  /**
   * Id of the run, repeated in each of its events. A new UUID when absent.
   */
  run?: string;
  /**
   * What the user says: text, or a list of content blocks; not only blanks.
   */
  prompt: string | (TextBlock | ImageBlock | DocumentBlock)[];
  /**
   * Instructions for the model. The worker's own when absent.
   */
  system_prompt?: string;
  /**
   * Name of the model. The CLI's default when absent; in a resumed session, the last one.
   */
  model?: string;
  /**
   * Model to use while the first one is overloaded. None when absent.
   */
  fallback_model?: string;
  /**
   * What does the work. `agent`: an agent, with all that it can do. `messages`: the plain Messages API, in a fraction of the time and memory, without tools other than the application's. When absent, that of the session which it resumes; else the first that the host's policy names and that can do it; else `agent`.
   */
  engine?: "agent" | "messages";
  /**
   * Tokens that one answer of the model may have; with `engine` `messages` only. As many as the model can give when absent.
   */
  max_tokens?: number;
  /**
   * How often the model may be called before the run ends. The worker's own when absent.
   */
  max_turns?: number;
  /**
   * Send the model's thinking as `thinking` events.
   */
  thinking?: boolean;
  /**
   * Conversation to continue or to begin. A new one with a new id when absent.
   */
  session?: ResumeSession | NewSession;
  /**
   * Whose conversation it is, in the application's own words, such as the id of a user. A session can be resumed only with the owner that it began with; if it began without one, only without one.
   */
  session_owner?: string;
  /**
   * Bounds on time and money. Omitted fields keep their defaults.
   */
  limits?: Limits;
  /**
   * What is sent during the run. Omitted fields keep their defaults.
   */
  stream?: Stream;
  /**
   * JSON Schema that `done.output` will satisfy; its top level describes an object, and its references stay within it. Plain text only when absent.
   */
  output_schema?: {
    [k: string]: unknown;
  };
  /**
   * The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and the terminal event, never shown to the model.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * What the run is about, among the application's own things. Echoed in `start` and the terminal event, never shown to the model.
   */
  subject?: Subject;
  /**
   * For whom the application runs it, such as the id of a user. Echoed in `start` and the terminal event, never shown to the model.
   */
  user?: string;
  /**
   * What the run is meant to achieve. Echoed in `start` and the terminal event; of a skill's request the model sees it, as data.
   */
  goal?: string;
  /**
   * Which attempt of the run this is; set by what runs it. Echoed in `start` from 2 on. A later attempt begins anew: its events follow those of the lost one under the same `run`, and count from 1 again. 1 when absent.
   */
  attempt?: number;
  /**
   * The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model.
   */
  traceparent?: string;
  /**
   * The tools that the agent has: `Agent`, `AskUserQuestion`, `Bash`, `Edit`, `Glob`, `Grep`, `NotebookEdit`, `Read`, `WebFetch`, `WebSearch`, `Write`, and `mcp__server__tool` of a server in `mcp_servers`. None when absent. Whether a call may run is said by `permissions`; `AskUserQuestion`, by which the agent asks the user, runs in each mode and needs --control or --interactive, but in mode `defer`.
   */
  tools?: string[];
  /**
   * Tools that the application runs itself, with unique names. Needs --control.
   */
  app_tools?: AppTool[];
  /**
   * Directory in which the agent works. It must exist, and the worker must be able to read it.
   */
  cwd: string;
  /**
   * Further directories in which the agent may work.
   */
  add_dirs?: string[];
  /**
   * What the agent may do. Omitted fields keep their defaults.
   */
  permissions?: Permissions;
  /**
   * MCP servers by name.
   */
  mcp_servers?: {
    [k: string]: StdioServer | HttpServer;
  };
  /**
   * Subagents by name. Need the tool `Agent`.
   */
  agents?: {
    [k: string]: Agent;
  };
}
/**
 * What the agent may do, and who is asked. A deny rule beats an allow rule.
 */
export interface Permissions {
  /**
   * What happens to a call that no rule covers. `deny`: it is denied. `ask`: a `permission_request` waits for the answer; needs --control or --interactive. `defer`: the run ends with `stop_reason` `permission_required`, and a later one brings the `decision`. `accept_edits`: edits below the working directories are allowed, also by commands such as mkdir, and the rest is denied. `plan`: the agent reads and plans, and does what a rule allows.
   */
  mode?: "deny" | "ask" | "defer" | "accept_edits" | "plan";
  /**
   * Calls that are allowed without a question: a tool, such as `WebSearch`, or a tool with a specifier, such as `Bash(git status)`, `Bash(npm run:*)` or `Edit(src/**)`, or `mcp__server__tool`. A file tool without a path means the files below the working directories. In mode `defer` whole tools only.
   */
  allow?: string[];
  /**
   * Calls that are denied whatever else is said.
   */
  deny?: string[];
  /**
   * Seconds that a question waits for its answer in mode `ask`; then it is denied.
   */
  timeout_s?: number;
  /**
   * Answer to the call that is pending in the session to resume; mode `defer` only, and from the same `cwd`. It counts once. Without a decision, mode `defer` denies the call, and another mode decides on it.
   */
  decision?: Decision;
}
/**
 * The answer to the call that an earlier run in mode `defer` left pending.
 */
export interface Decision {
  /**
   * Id of the call, from `pending` of that run's `done`.
   */
  tool_use_id: string;
  /**
   * The decision.
   */
  behavior: "allow" | "deny";
  /**
   * What to tell the model on a denial. Ignored with `allow`.
   */
  message?: string;
  /**
   * Input to run the tool with in place of the model's; the model's own when absent. It must not be empty. If it does not fit the tool, or a deny rule forbids it, the call is denied. Ignored with `deny`.
   */
  updated_input?: {
    [k: string]: unknown;
  };
  /**
   * The answer to each question by its text: the label of an option, a text of one's own, or a list of these where `multi` is true.
   */
  answers?: {
    [k: string]: string | string[];
  };
  /**
   * Who sends this, in the application's own words, such as the id of a user; told on in the event that settles it.
   */
  actor?: string;
}
/**
 * A subagent that the agent may call upon, through the tool `Agent`.
 */
export interface Agent {
  /**
   * When to call upon it; written for the model.
   */
  description: string;
  /**
   * Its instructions.
   */
  prompt: string;
  /**
   * The tools it may use, out of the request's `tools`. All of these when absent.
   */
  tools?: string[];
  /**
   * Name of its model. The agent's own when absent.
   */
  model?: string;
}
/**
 * Which tool of which MCP server is to run, and with what. No model is asked.
 */
export interface ToolRequest {
  /**
   * Version of the contract.
   */
  v?: 1;
  /**
   * Id of the run, repeated in each of its events. A new UUID when absent.
   */
  run?: string;
  /**
   * The server, as in `mcp_servers` of a task, with its `name`.
   */
  server: StdioToolServer | HttpToolServer;
  /**
   * Name of the tool, as the server lists it.
   */
  tool: string;
  /**
   * What the tool is called with: an object that satisfies the schema that the server lists for it.
   */
  input?: {
    [k: string]: unknown;
  };
  /**
   * Bounds on time. Omitted fields keep their defaults.
   */
  limits?: ToolLimits;
  /**
   * What is sent during the run. Omitted fields keep their defaults.
   */
  stream?: ToolStream;
  /**
   * The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and the terminal event, never shown to the tool.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * What the run is about, among the application's own things. Echoed in `start` and the terminal event, never shown to the model.
   */
  subject?: Subject;
  /**
   * For whom the application runs it, such as the id of a user. Echoed in `start` and the terminal event, never shown to the model.
   */
  user?: string;
  /**
   * What the run is meant to achieve. Echoed in `start` and the terminal event; of a skill's request the model sees it, as data.
   */
  goal?: string;
  /**
   * Which attempt of the run this is; set by what runs it. Echoed in `start` from 2 on. A later attempt begins anew: its events follow those of the lost one under the same `run`, and count from 1 again. 1 when absent.
   */
  attempt?: number;
  /**
   * The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model.
   */
  traceparent?: string;
}
/**
 * An MCP server that the worker starts as a process, with its name.
 */
export interface StdioToolServer {
  /**
   * Kind of server.
   */
  type?: "stdio";
  /**
   * Program to start.
   */
  command: string;
  /**
   * Its arguments.
   */
  args?: string[];
  /**
   * Variables to add to its environment.
   */
  env?: {
    [k: string]: string;
  };
  /**
   * Means nothing here: a call needs its server.
   */
  optional?: boolean;
  /**
   * Name of the server. The call's events name the tool `mcp__server__tool`.
   */
  name: string;
}
/**
 * An MCP server that is reached by HTTP, with its name.
 */
export interface HttpToolServer {
  /**
   * Kind of server.
   */
  type?: "http";
  /**
   * Its address.
   */
  url: string;
  /**
   * Headers to send with each request.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * Means nothing here: a call needs its server.
   */
  optional?: boolean;
  /**
   * Name of the server. The call's events name the tool `mcp__server__tool`.
   */
  name: string;
}
/**
 * What the call may use up before it is stopped.
 */
export interface ToolLimits {
  /**
   * Seconds that the server's start and the call may take together; then the run ends with `error` `timeout`.
   */
  timeout_s?: number;
}
/**
 * How the run reports.
 */
export interface ToolStream {
  /**
   * Seconds of silence after which a `ping` is sent.
   */
  ping_s?: number;
  /**
   * Send the tool's progress as `tool_output` events, while it works.
   */
  tool_output?: boolean;
}
/**
 * A job of agent-chat.
 */
export interface ChatJob {
  /**
   * Name of the worker's command, such as `agent-chat`.
   */
  worker: "agent-chat";
  /**
   * The queue in which the job waits.
   */
  queue?: string;
  /**
   * For which of the application's customers it runs: nobody's jobs may keep all others waiting. Never shown to the model.
   */
  tenant?: string;
  /**
   * Jobs with a higher one go first in their queue.
   */
  priority?: number;
  /**
   * The job does not begin before. At once when absent.
   */
  run_at?: string;
  /**
   * A job that has not begun by then never does: it ends with `error` `timeout`. Never when absent.
   */
  expires_at?: string;
  /**
   * How often the job is tried at most, if its worker is lost or it ends with a code of `retry_on`.
   */
  attempts?: number;
  /**
   * Codes of `error` after which the job is tried again, as it is where its worker was lost.
   */
  retry_on?:
    | "invalid_request"
    | "unsupported_version"
    | "policy_denied"
    | "budget_exhausted"
    | "auth"
    | "billing"
    | "rate_limited"
    | "overloaded"
    | "server_error"
    | "network"
    | "gateway"
    | "model_not_found"
    | "context_overflow"
    | "session_not_found"
    | "session_exists"
    | "session_busy"
    | "pool_full"
    | "output_schema"
    | "output_too_large"
    | "cli_missing"
    | "cli_crashed"
    | "state_unavailable"
    | "sandbox_unavailable"
    | "mcp_unavailable"
    | "timeout"
    | "idle_timeout"
    | "worker_lost"
    | "internal"
    | (string & {})[];
  /**
   * Name of the credential that the machine which runs the job looks up; never a key. The machine's own when absent.
   */
  credential?: string;
  /**
   * Who gets the job when no attempt is left. Nobody when absent.
   */
  on_failure?: FailureQueue | FailurePerson;
  /**
   * Version of the contract.
   */
  v?: 1;
  /**
   * Id of the run, repeated in each of its events. A new UUID when absent.
   */
  run?: string;
  /**
   * What the user says: text, or a list of content blocks; not only blanks.
   */
  prompt: string | (TextBlock | ImageBlock | DocumentBlock)[];
  /**
   * Instructions for the model. The worker's own when absent.
   */
  system_prompt?: string;
  /**
   * Name of the model. The CLI's default when absent; in a resumed session, the last one.
   */
  model?: string;
  /**
   * Model to use while the first one is overloaded. None when absent.
   */
  fallback_model?: string;
  /**
   * What does the work. `agent`: an agent, with all that it can do. `messages`: the plain Messages API, in a fraction of the time and memory, without tools other than the application's. When absent, that of the session which it resumes; else the first that the host's policy names and that can do it; else `agent`.
   */
  engine?: "agent" | "messages";
  /**
   * Tokens that one answer of the model may have; with `engine` `messages` only. As many as the model can give when absent.
   */
  max_tokens?: number;
  /**
   * How often the model may be called before the run ends. The worker's own when absent.
   */
  max_turns?: number;
  /**
   * Send the model's thinking as `thinking` events.
   */
  thinking?: boolean;
  /**
   * Conversation to continue or to begin. A new one with a new id when absent.
   */
  session?: ResumeSession | NewSession;
  /**
   * Whose conversation it is, in the application's own words, such as the id of a user. A session can be resumed only with the owner that it began with; if it began without one, only without one.
   */
  session_owner?: string;
  /**
   * Bounds on time and money. Omitted fields keep their defaults.
   */
  limits?: Limits;
  /**
   * What is sent during the run. Omitted fields keep their defaults.
   */
  stream?: Stream;
  /**
   * JSON Schema that `done.output` will satisfy; its top level describes an object, and its references stay within it. Plain text only when absent.
   */
  output_schema?: {
    [k: string]: unknown;
  };
  /**
   * The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and the terminal event, never shown to the model.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * What the run is about, among the application's own things. Echoed in `start` and the terminal event, never shown to the model.
   */
  subject?: Subject;
  /**
   * For whom the application runs it, such as the id of a user. Echoed in `start` and the terminal event, never shown to the model.
   */
  user?: string;
  /**
   * What the run is meant to achieve. Echoed in `start` and the terminal event; of a skill's request the model sees it, as data.
   */
  goal?: string;
  /**
   * The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model.
   */
  traceparent?: string;
  /**
   * `AskUserQuestion` lets the agent ask the user, by `question` events; needs --control or --interactive. Nothing else is a tool of a chat.
   */
  tools?: "AskUserQuestion"[];
  /**
   * Tools that the application runs itself, with unique names. Needs --control.
   */
  app_tools?: AppTool[];
}
/**
 * A queue that gets the job when no attempt is left.
 */
export interface FailureQueue {
  /**
   * Name of the queue.
   */
  queue: string;
}
/**
 * A person who is told when no attempt is left.
 */
export interface FailurePerson {
  /**
   * Who it is, in the application's own words, such as the id of a user.
   */
  person: string;
}
/**
 * A job of agent-task.
 */
export interface TaskJob {
  /**
   * Name of the worker's command, such as `agent-chat`.
   */
  worker: "agent-task";
  /**
   * The queue in which the job waits.
   */
  queue?: string;
  /**
   * For which of the application's customers it runs: nobody's jobs may keep all others waiting. Never shown to the model.
   */
  tenant?: string;
  /**
   * Jobs with a higher one go first in their queue.
   */
  priority?: number;
  /**
   * The job does not begin before. At once when absent.
   */
  run_at?: string;
  /**
   * A job that has not begun by then never does: it ends with `error` `timeout`. Never when absent.
   */
  expires_at?: string;
  /**
   * How often the job is tried at most, if its worker is lost or it ends with a code of `retry_on`.
   */
  attempts?: number;
  /**
   * Codes of `error` after which the job is tried again, as it is where its worker was lost.
   */
  retry_on?:
    | "invalid_request"
    | "unsupported_version"
    | "policy_denied"
    | "budget_exhausted"
    | "auth"
    | "billing"
    | "rate_limited"
    | "overloaded"
    | "server_error"
    | "network"
    | "gateway"
    | "model_not_found"
    | "context_overflow"
    | "session_not_found"
    | "session_exists"
    | "session_busy"
    | "pool_full"
    | "output_schema"
    | "output_too_large"
    | "cli_missing"
    | "cli_crashed"
    | "state_unavailable"
    | "sandbox_unavailable"
    | "mcp_unavailable"
    | "timeout"
    | "idle_timeout"
    | "worker_lost"
    | "internal"
    | (string & {})[];
  /**
   * Name of the credential that the machine which runs the job looks up; never a key. The machine's own when absent.
   */
  credential?: string;
  /**
   * Who gets the job when no attempt is left. Nobody when absent.
   */
  on_failure?: FailureQueue | FailurePerson;
  /**
   * Version of the contract.
   */
  v?: 1;
  /**
   * Id of the run, repeated in each of its events. A new UUID when absent.
   */
  run?: string;
  /**
   * What the user says: text, or a list of content blocks; not only blanks.
   */
  prompt: string | (TextBlock | ImageBlock | DocumentBlock)[];
  /**
   * Instructions for the model. The worker's own when absent.
   */
  system_prompt?: string;
  /**
   * Name of the model. The CLI's default when absent; in a resumed session, the last one.
   */
  model?: string;
  /**
   * Model to use while the first one is overloaded. None when absent.
   */
  fallback_model?: string;
  /**
   * What does the work. `agent`: an agent, with all that it can do. `messages`: the plain Messages API, in a fraction of the time and memory, without tools other than the application's. When absent, that of the session which it resumes; else the first that the host's policy names and that can do it; else `agent`.
   */
  engine?: "agent" | "messages";
  /**
   * Tokens that one answer of the model may have; with `engine` `messages` only. As many as the model can give when absent.
   */
  max_tokens?: number;
  /**
   * How often the model may be called before the run ends. The worker's own when absent.
   */
  max_turns?: number;
  /**
   * Send the model's thinking as `thinking` events.
   */
  thinking?: boolean;
  /**
   * Conversation to continue or to begin. A new one with a new id when absent.
   */
  session?: ResumeSession | NewSession;
  /**
   * Whose conversation it is, in the application's own words, such as the id of a user. A session can be resumed only with the owner that it began with; if it began without one, only without one.
   */
  session_owner?: string;
  /**
   * Bounds on time and money. Omitted fields keep their defaults.
   */
  limits?: Limits;
  /**
   * What is sent during the run. Omitted fields keep their defaults.
   */
  stream?: Stream;
  /**
   * JSON Schema that `done.output` will satisfy; its top level describes an object, and its references stay within it. Plain text only when absent.
   */
  output_schema?: {
    [k: string]: unknown;
  };
  /**
   * The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and the terminal event, never shown to the model.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * What the run is about, among the application's own things. Echoed in `start` and the terminal event, never shown to the model.
   */
  subject?: Subject;
  /**
   * For whom the application runs it, such as the id of a user. Echoed in `start` and the terminal event, never shown to the model.
   */
  user?: string;
  /**
   * What the run is meant to achieve. Echoed in `start` and the terminal event; of a skill's request the model sees it, as data.
   */
  goal?: string;
  /**
   * The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model.
   */
  traceparent?: string;
  /**
   * The tools that the agent has: `Agent`, `AskUserQuestion`, `Bash`, `Edit`, `Glob`, `Grep`, `NotebookEdit`, `Read`, `WebFetch`, `WebSearch`, `Write`, and `mcp__server__tool` of a server in `mcp_servers`. None when absent. Whether a call may run is said by `permissions`; `AskUserQuestion`, by which the agent asks the user, runs in each mode and needs --control or --interactive, but in mode `defer`.
   */
  tools?: string[];
  /**
   * Tools that the application runs itself, with unique names. Needs --control.
   */
  app_tools?: AppTool[];
  /**
   * Directory in which the agent works. It must exist, and the worker must be able to read it.
   */
  cwd: string;
  /**
   * Further directories in which the agent may work.
   */
  add_dirs?: string[];
  /**
   * What the agent may do. Omitted fields keep their defaults.
   */
  permissions?: Permissions;
  /**
   * MCP servers by name.
   */
  mcp_servers?: {
    [k: string]: StdioServer | HttpServer;
  };
  /**
   * Subagents by name. Need the tool `Agent`.
   */
  agents?: {
    [k: string]: Agent;
  };
}
/**
 * A job of agent-tool.
 */
export interface ToolJob {
  /**
   * Name of the worker's command, such as `agent-chat`.
   */
  worker: "agent-tool";
  /**
   * The queue in which the job waits.
   */
  queue?: string;
  /**
   * For which of the application's customers it runs: nobody's jobs may keep all others waiting. Never shown to the model.
   */
  tenant?: string;
  /**
   * Jobs with a higher one go first in their queue.
   */
  priority?: number;
  /**
   * The job does not begin before. At once when absent.
   */
  run_at?: string;
  /**
   * A job that has not begun by then never does: it ends with `error` `timeout`. Never when absent.
   */
  expires_at?: string;
  /**
   * How often the job is tried at most, if its worker is lost or it ends with a code of `retry_on`.
   */
  attempts?: number;
  /**
   * Codes of `error` after which the job is tried again, as it is where its worker was lost.
   */
  retry_on?:
    | "invalid_request"
    | "unsupported_version"
    | "policy_denied"
    | "budget_exhausted"
    | "auth"
    | "billing"
    | "rate_limited"
    | "overloaded"
    | "server_error"
    | "network"
    | "gateway"
    | "model_not_found"
    | "context_overflow"
    | "session_not_found"
    | "session_exists"
    | "session_busy"
    | "pool_full"
    | "output_schema"
    | "output_too_large"
    | "cli_missing"
    | "cli_crashed"
    | "state_unavailable"
    | "sandbox_unavailable"
    | "mcp_unavailable"
    | "timeout"
    | "idle_timeout"
    | "worker_lost"
    | "internal"
    | (string & {})[];
  /**
   * Name of the credential that the machine which runs the job looks up; never a key. The machine's own when absent.
   */
  credential?: string;
  /**
   * Who gets the job when no attempt is left. Nobody when absent.
   */
  on_failure?: FailureQueue | FailurePerson;
  /**
   * Version of the contract.
   */
  v?: 1;
  /**
   * Id of the run, repeated in each of its events. A new UUID when absent.
   */
  run?: string;
  /**
   * The server, as in `mcp_servers` of a task, with its `name`.
   */
  server: StdioToolServer | HttpToolServer;
  /**
   * Name of the tool, as the server lists it.
   */
  tool: string;
  /**
   * What the tool is called with: an object that satisfies the schema that the server lists for it.
   */
  input?: {
    [k: string]: unknown;
  };
  /**
   * Bounds on time. Omitted fields keep their defaults.
   */
  limits?: ToolLimits;
  /**
   * What is sent during the run. Omitted fields keep their defaults.
   */
  stream?: ToolStream;
  /**
   * The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and the terminal event, never shown to the tool.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * What the run is about, among the application's own things. Echoed in `start` and the terminal event, never shown to the model.
   */
  subject?: Subject;
  /**
   * For whom the application runs it, such as the id of a user. Echoed in `start` and the terminal event, never shown to the model.
   */
  user?: string;
  /**
   * What the run is meant to achieve. Echoed in `start` and the terminal event; of a skill's request the model sees it, as data.
   */
  goal?: string;
  /**
   * The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model.
   */
  traceparent?: string;
}
/**
 * A job of agent-skill.
 */
export interface SkillJob {
  /**
   * Name of the worker's command; a job that names a skill needs none.
   */
  worker?: "agent-skill";
  /**
   * The queue in which the job waits.
   */
  queue?: string;
  /**
   * For which of the application's customers it runs: nobody's jobs may keep all others waiting. Never shown to the model.
   */
  tenant?: string;
  /**
   * Jobs with a higher one go first in their queue.
   */
  priority?: number;
  /**
   * The job does not begin before. At once when absent.
   */
  run_at?: string;
  /**
   * A job that has not begun by then never does: it ends with `error` `timeout`. Never when absent.
   */
  expires_at?: string;
  /**
   * How often the job is tried at most, if its worker is lost or it ends with a code of `retry_on`.
   */
  attempts?: number;
  /**
   * Codes of `error` after which the job is tried again, as it is where its worker was lost.
   */
  retry_on?:
    | "invalid_request"
    | "unsupported_version"
    | "policy_denied"
    | "budget_exhausted"
    | "auth"
    | "billing"
    | "rate_limited"
    | "overloaded"
    | "server_error"
    | "network"
    | "gateway"
    | "model_not_found"
    | "context_overflow"
    | "session_not_found"
    | "session_exists"
    | "session_busy"
    | "pool_full"
    | "output_schema"
    | "output_too_large"
    | "cli_missing"
    | "cli_crashed"
    | "state_unavailable"
    | "sandbox_unavailable"
    | "mcp_unavailable"
    | "timeout"
    | "idle_timeout"
    | "worker_lost"
    | "internal"
    | (string & {})[];
  /**
   * Name of the credential that the machine which runs the job looks up; never a key. The machine's own when absent.
   */
  credential?: string;
  /**
   * Who gets the job when no attempt is left. Nobody when absent.
   */
  on_failure?: FailureQueue | FailurePerson;
  /**
   * Version of the contract.
   */
  v?: 1;
  /**
   * Id of the run, repeated in each of its events. A new UUID when absent.
   */
  run?: string;
  /**
   * Name of the skill, as `agent-skill list` shows it.
   */
  skill: string;
  /**
   * What it works on: an object that satisfies the skill's input schema.
   */
  input: {
    [k: string]: unknown;
  };
  /**
   * What the run is about, among the application's own things. Echoed in `start` and the terminal event, never shown to the model.
   */
  subject?: Subject;
  /**
   * For whom the application runs it, such as the id of a user. Echoed in `start` and the terminal event, never shown to the model.
   */
  user?: string;
  /**
   * What the run is meant to achieve. Echoed in `start` and the terminal event; of a skill's request the model sees it, as data.
   */
  goal?: string;
  /**
   * The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model.
   */
  traceparent?: string;
  /**
   * Name of the model. The skill's own when absent.
   */
  model?: string;
  /**
   * Model to use while the first one is overloaded. None when absent.
   */
  fallback_model?: string;
  /**
   * What does the work. The skill's own when absent.
   */
  engine?: "agent" | "messages";
  /**
   * Tokens that one answer of the model may have; with `engine` `messages` only. As many as the model can give when absent.
   */
  max_tokens?: number;
  /**
   * How often the model may be called. The skill's own when absent.
   */
  max_turns?: number;
  /**
   * Send the model's thinking as `thinking` events.
   */
  thinking?: boolean;
  /**
   * Conversation to continue or to begin. A new one with a new id when absent.
   */
  session?: ResumeSession | NewSession;
  /**
   * Whose conversation it is, in the application's own words, such as the id of a user. A session can be resumed only with the owner that it began with; if it began without one, only without one.
   */
  session_owner?: string;
  /**
   * Bounds on time and money. Omitted fields are the skill's own.
   */
  limits?: Limits;
  /**
   * What is sent during the run. Omitted fields keep their defaults.
   */
  stream?: Stream;
  /**
   * The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and the terminal event, never shown to the model.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * Tools that the application runs itself, with unique names. Needs --control.
   */
  app_tools?: AppTool[];
  /**
   * Working directory; needed by a skill with tools, and taken by such a one only.
   */
  cwd?: string;
  /**
   * Further directories in which the agent may work.
   */
  add_dirs?: string[];
  /**
   * MCP servers by name.
   */
  mcp_servers?: {
    [k: string]: StdioServer | HttpServer;
  };
}
/**
 * Stop the run; it ends with `aborted`.
 */
export interface AbortMessage {
  /**
   * Kind of message.
   */
  type: "abort";
  /**
   * Id of this message, of the caller's choice; the `ack` bears the same.
   */
  id: string;
}
/**
 * Answer a `permission_request`.
 */
export interface PermissionMessage {
  /**
   * Kind of message.
   */
  type: "permission";
  /**
   * Id of this message, of the caller's choice; the `ack` bears the same.
   */
  id: string;
  /**
   * Id of the question, from `permission_request`.
   */
  permission_id: string;
  /**
   * The decision.
   */
  behavior: "allow" | "deny";
  /**
   * What to tell the model on a denial. Ignored with `allow`.
   */
  message?: string;
  /**
   * Input to run the tool with in place of the model's; the model's own when absent. It must not be empty. If it does not fit the tool, or a deny rule forbids it, the call is denied. Ignored with `deny`.
   */
  updated_input?: {
    [k: string]: unknown;
  };
  /**
   * Who sends this, in the application's own words, such as the id of a user; told on in the event that settles it.
   */
  actor?: string;
  /**
   * The application's signature of this decision, in its own form; told on in the event that settles it. The worker does not read it.
   */
  signature?: string;
}
/**
 * Answer an `app_tool_call`.
 */
export interface AppToolResultMessage {
  /**
   * Kind of message.
   */
  type: "app_tool_result";
  /**
   * Id of this message, of the caller's choice; the `ack` bears the same.
   */
  id: string;
  /**
   * Id of the call, from `app_tool_call`.
   */
  call_id: string;
  /**
   * The tool's result: a string, or a list of text and base64 image blocks. Send any other JSON value encoded as a string.
   */
  content: string | (TextBlock | InlineImageBlock)[];
  /**
   * True when the tool failed; `content` then says why.
   */
  is_error?: boolean;
  /**
   * Whether the same call may succeed later; told on in `tool_result`.
   */
  retryable?: boolean;
  /**
   * True when the result comes from the record of an earlier attempt; told on in `tool_result`.
   */
  replayed?: boolean;
  /**
   * Who sends this, in the application's own words, such as the id of a user; told on in the event that settles it.
   */
  actor?: string;
}
/**
 * An image in a tool's result. Tools speak MCP, which carries bytes and no addresses.
 */
export interface InlineImageBlock {
  /**
   * Kind of block.
   */
  type: "image";
  /**
   * The image's bytes.
   */
  source: Base64Image;
}
/**
 * Tell what a tool of the application prints while it runs: `tool_output`, where the request asks for it.
 */
export interface AppToolOutputMessage {
  /**
   * Kind of message.
   */
  type: "app_tool_output";
  /**
   * Id of this message, of the caller's choice; the `ack` bears the same.
   */
  id: string;
  /**
   * Id of the call, from `app_tool_call`.
   */
  call_id: string;
  /**
   * Next piece of what it prints.
   */
  text: string;
}
/**
 * Answer a `question`.
 */
export interface AnswerMessage {
  /**
   * Kind of message.
   */
  type: "answer";
  /**
   * Id of this message, of the caller's choice; the `ack` bears the same.
   */
  id: string;
  /**
   * Id of the question, from `question`.
   */
  question_id: string;
  /**
   * The answer to each question by its text: the label of an option, a text of one's own, or a list of these where `multi` is true.
   */
  answers: {
    [k: string]: string | string[];
  };
  /**
   * Who sends this, in the application's own words, such as the id of a user; told on in the event that settles it.
   */
  actor?: string;
  /**
   * The application's signature of this decision, in its own form; told on in the event that settles it. The worker does not read it.
   */
  signature?: string;
}
/**
 * Say a word to the agent while it works: it reads it with its next tool result, in the same turn.
 */
export interface SteerMessage {
  /**
   * Kind of message.
   */
  type: "steer";
  /**
   * Id of this message, of the caller's choice; the `ack` bears the same.
   */
  id: string;
  /**
   * What the agent is told, as it is: a command or file reference in it is only text.
   */
  text: string;
  /**
   * Who sends this, in the application's own words, such as the id of a user; told on in the event that settles it.
   */
  actor?: string;
}
/**
 * The run was stopped from outside. Terminal: the last line.
 */
export interface AbortedEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "aborted";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * `client`: an `abort` control message. `signal`: SIGTERM or SIGINT. `parent_gone`: stdin closed under --control.
   */
  reason: "client" | "signal" | "parent_gone";
  /**
   * Id of the conversation. Absent when the agent was not up yet, or the conversation was not saved.
   */
  session_id?: string;
  /**
   * Tokens consumed until then. Absent when unknown.
   */
  usage?: Usage;
  /**
   * Estimated price until then in US dollars. Absent when unknown.
   */
  cost_usd?: number;
  /**
   * The request's `metadata`. Absent when it had none.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * The request's `subject`. Absent when it had none.
   */
  subject?: Subject;
  /**
   * The request's `user`. Absent when it had none.
   */
  user?: string;
  /**
   * The request's `goal`. Absent when it had none.
   */
  goal?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * Tokens consumed. An absent count is unknown, never zero.
 */
export interface Usage {
  /**
   * Tokens read that came neither from the cache nor went into it. Absent when unknown.
   */
  input_tokens?: number;
  /**
   * Tokens produced. Absent when unknown.
   */
  output_tokens?: number;
  /**
   * Tokens read from the prompt cache. Absent when unknown.
   */
  cache_read_input_tokens?: number;
  /**
   * Tokens written to the prompt cache, for whatever time. Absent when unknown.
   */
  cache_creation_input_tokens?: number;
  /**
   * Those of `cache_creation_input_tokens` that are kept for five minutes. Absent when unknown.
   */
  cache_creation_5m_input_tokens?: number;
  /**
   * Those of `cache_creation_input_tokens` that are kept for an hour, at a higher price. Absent when unknown.
   */
  cache_creation_1h_input_tokens?: number;
}
/**
 * Answer to a control message.
 */
export interface AckEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "ack";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the control message.
   */
  id: string;
  /**
   * True when the message took effect; false when it changed nothing.
   */
  ok: boolean;
  /**
   * Why the message changed nothing; absent when it took effect. Known values: `invalid_json`, `unknown_type`, `invalid_message`, `not_pending`, `too_late`; more may be added, so expect others.
   */
  code?: "invalid_json" | "unknown_type" | "invalid_message" | "not_pending" | "too_late" | (string & {});
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * The model calls a tool of the application; the run waits for an `app_tool_result` control message.
 */
export interface AppToolCallEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "app_tool_call";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the call; the answer bears the same.
   */
  call_id: string;
  /**
   * Name of the tool, as in the request's `app_tools`.
   */
  name: string;
  /**
   * What the tool is called with; it was written by the model, so check it.
   */
  input: {
    [k: string]: unknown;
  };
  /**
   * RFC 3339 time in UTC. Without an answer by then the call has failed.
   */
  expires_at: string;
  /**
   * Id of the call, as in `tool_call` and `tool_result`. Absent when not known.
   */
  tool_use_id?: string;
  /**
   * Names this call's effect: the same in each attempt of the run (the same `run` sent again) for the same tool, the same input and the how-manyth such call it is. Keep the result under it, or pass it on as an idempotency key, and a retried run does nothing twice.
   */
  effect_key?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * Text for the user, as the model produces it. Concatenated, the deltas are the answer.
 */
export interface DeltaEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "delta";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Next piece of the text; append it unchanged.
   */
  text: string;
  /**
   * Number of the block of text that the piece belongs to. Grows within the run, with gaps: blocks that show nothing to the user are numbered too.
   */
  block: number;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * Text that was already sent is superseded: drop it, a new version follows.
 */
export interface DiscardEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "discard";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Numbers of the blocks whose text is to be dropped, as in `delta`.
   */
  blocks: number[];
  /**
   * Why. Known values: `retry`, `fallback`, `correction`; more may be added, so expect others.
   */
  reason: "retry" | "fallback" | "correction" | (string & {});
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * The run ended with an answer. Terminal: the last line.
 */
export interface DoneEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "done";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Why the model stopped. Known values: `end_turn`, `max_tokens`, `max_turns`, `max_budget`, `refusal`, `permission_required`; more may be added, so expect others.
   */
  stop_reason:
    "end_turn" | "max_tokens" | "max_turns" | "max_budget" | "refusal" | "permission_required" | (string & {});
  /**
   * The final answer: all `delta` texts of it that were not discarded. Where a tool was run without a model: its result as text.
   */
  text: string;
  /**
   * JSON value that satisfies the request's `output_schema`. Absent without one. Where a tool was run without a model: its result as JSON, structured where the tool gave that, else a list of the parts of its answer; absent where it is longer than 128 KiB.
   */
  output?: {
    [k: string]: unknown;
  };
  /**
   * Id of the conversation; send it as `session.resume` to continue. Absent where the conversation was not saved.
   */
  session_id?: string;
  /**
   * Tokens that the run consumed; `usage_scope` says in which calls.
   */
  usage: Usage;
  /**
   * Whose calls of the API `usage` counts. `all`: each of the run's, those of subagents and the agent's helper calls included, as `models` and `cost_usd` do. `main_agent`: without these. Absent where no model was asked. Known values: `all`, `main_agent`; more may be added, so expect others.
   */
  usage_scope?: "all" | "main_agent" | (string & {});
  /**
   * Estimated price of the run in US dollars, over all models, subagents and helper calls included: what its tokens come to by the price list of the engine. Not a bill. Absent when unknown.
   */
  cost_usd?: number;
  /**
   * Milliseconds from the request to this event.
   */
  duration_ms: number;
  /**
   * How often the model was called; 0 where only a tool was run.
   */
  turns: number;
  /**
   * Consumption by model name. Absent when unknown.
   */
  models?: {
    [k: string]: ModelUsage;
  };
  /**
   * Tool calls that were not allowed. Absent when there were none.
   */
  denials?: Denial[];
  /**
   * The tool call that waits for a decision, where `stop_reason` is `permission_required`. Absent otherwise.
   */
  pending?: PendingCall;
  /**
   * The request's `metadata`. Absent when it had none.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * The request's `subject`. Absent when it had none.
   */
  subject?: Subject;
  /**
   * The request's `user`. Absent when it had none.
   */
  user?: string;
  /**
   * The request's `goal`. Absent when it had none.
   */
  goal?: string;
  /**
   * Name of the skill. Absent where none runs.
   */
  skill?: string;
  /**
   * Its version. Absent where it has none.
   */
  skill_version?: string;
  /**
   * Whether a person should look at the output, since the model is not sure enough of it. Absent where the skill does not ask for that.
   */
  needs_review?: boolean;
  /**
   * How a batch in the economy lane had it done. `economy`: by the provider's batch API, at half the price. `live`: at once. Absent for all other runs. Known values: `economy`, `live`; more may be added, so expect others.
   */
  lane?: "economy" | "live" | (string & {});
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * Tokens that one model consumed, and their price.
 */
export interface ModelUsage {
  /**
   * Tokens read that came neither from the cache nor went into it. Absent when unknown.
   */
  input_tokens?: number;
  /**
   * Tokens produced. Absent when unknown.
   */
  output_tokens?: number;
  /**
   * Tokens read from the prompt cache. Absent when unknown.
   */
  cache_read_input_tokens?: number;
  /**
   * Tokens written to the prompt cache, for whatever time. Absent when unknown.
   */
  cache_creation_input_tokens?: number;
  /**
   * Those of `cache_creation_input_tokens` that are kept for five minutes. Absent when unknown.
   */
  cache_creation_5m_input_tokens?: number;
  /**
   * Those of `cache_creation_input_tokens` that are kept for an hour, at a higher price. Absent when unknown.
   */
  cache_creation_1h_input_tokens?: number;
  /**
   * Estimated price in US dollars. Absent when unknown.
   */
  cost_usd?: number;
}
/**
 * A tool call that was not allowed.
 */
export interface Denial {
  /**
   * Id of the tool call, as in `tool_call`.
   */
  tool_use_id: string;
  /**
   * Name of the tool.
   */
  name: string;
  /**
   * What the tool was called with. Absent when left out to keep the line short.
   */
  input?: {
    [k: string]: unknown;
  };
}
/**
 * A tool call that waits for a decision: a later run brings it as `permissions.decision`.
 */
export interface PendingCall {
  /**
   * Id of the tool call, as in `tool_call`; the decision names it.
   */
  tool_use_id: string;
  /**
   * Name of the tool.
   */
  name: string;
  /**
   * What the tool would be called with. Absent when left out to keep the line short; `tool_call` has it.
   */
  input?: {
    [k: string]: unknown;
  };
}
/**
 * The run failed, or the request was refused. Terminal: the last line.
 */
export interface ErrorEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "error";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * What went wrong, for programs. Known values: `invalid_request`, `unsupported_version`, `policy_denied`, `budget_exhausted`, `auth`, `billing`, `rate_limited`, `overloaded`, `server_error`, `network`, `gateway`, `model_not_found`, `context_overflow`, `session_not_found`, `session_exists`, `session_busy`, `pool_full`, `output_schema`, `output_too_large`, `cli_missing`, `cli_crashed`, `state_unavailable`, `sandbox_unavailable`, `mcp_unavailable`, `timeout`, `idle_timeout`, `worker_lost`, `internal`; more may be added, so expect others.
   */
  code:
    | "invalid_request"
    | "unsupported_version"
    | "policy_denied"
    | "budget_exhausted"
    | "auth"
    | "billing"
    | "rate_limited"
    | "overloaded"
    | "server_error"
    | "network"
    | "gateway"
    | "model_not_found"
    | "context_overflow"
    | "session_not_found"
    | "session_exists"
    | "session_busy"
    | "pool_full"
    | "output_schema"
    | "output_too_large"
    | "cli_missing"
    | "cli_crashed"
    | "state_unavailable"
    | "sandbox_unavailable"
    | "mcp_unavailable"
    | "timeout"
    | "idle_timeout"
    | "worker_lost"
    | "internal"
    | (string & {});
  /**
   * What went wrong, for people; safe to show to a user.
   */
  message: string;
  /**
   * True when the same request may succeed later.
   */
  retryable: boolean;
  /**
   * Milliseconds to wait before trying again. Absent when unknown.
   */
  retry_after_ms?: number;
  /**
   * With the code `session_busy`: for how many milliseconds the other run has been at work in the session. Absent for other errors, and when unknown.
   */
  busy_ms?: number;
  /**
   * HTTP status of the API's response. Absent when there was none.
   */
  http_status?: number;
  /**
   * Every problem of a refused request, by its place there; with the code `output_schema`, what is wrong with a skill's output, by its place there. Absent for other errors.
   */
  details?: Problem[];
  /**
   * Id of the conversation. Absent when the agent was not up yet, or the conversation was not saved.
   */
  session_id?: string;
  /**
   * Tokens consumed until then. Absent when unknown.
   */
  usage?: Usage;
  /**
   * Estimated price until then in US dollars. Absent when unknown.
   */
  cost_usd?: number;
  /**
   * The request's `metadata`. Absent when it had none.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * The request's `subject`. Absent when it had none.
   */
  subject?: Subject;
  /**
   * The request's `user`. Absent when it had none.
   */
  user?: string;
  /**
   * The request's `goal`. Absent when it had none.
   */
  goal?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * A fault and its place in the request.
 */
export interface Problem {
  /**
   * RFC 6901 JSON pointer to the place, from the root of the request; "" is all of it.
   */
  pointer: string;
  /**
   * What is wrong, in plain words.
   */
  message: string;
  /**
   * Known field, tool or value nearest to an unknown one; dotted (`limits.timeout_s`) where it belongs deeper. Absent when none is near.
   */
  did_you_mean?: string;
}
/**
 * Something worth knowing that does not end the run.
 */
export interface NoticeEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "notice";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * How much it matters.
   */
  level: "info" | "warning";
  /**
   * What it is, for programs. An open set.
   */
  code: string;
  /**
   * What it is, for people.
   */
  message: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * A tool call waits for the user's consent: answer by a `permission` control message.
 */
export interface PermissionRequestEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "permission_request";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of this question; the answer bears the same.
   */
  permission_id: string;
  /**
   * Id of the call, as in `tool_call`.
   */
  tool_use_id: string;
  /**
   * Name of the tool.
   */
  name: string;
  /**
   * What the tool would be called with; its shape is the tool's own.
   */
  input: {
    [k: string]: unknown;
  };
  /**
   * Why consent is needed. Absent when not known.
   */
  reason?: string;
  /**
   * RFC 3339 time in UTC. No answer until then means deny.
   */
  expires_at: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * A `permission_request` is settled.
 */
export interface PermissionResolvedEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "permission_resolved";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the question, as in `permission_request`.
   */
  permission_id: string;
  /**
   * What was decided.
   */
  behavior: "allow" | "deny";
  /**
   * `client`: a control message. `timeout`: no answer in time. `policy`: the changed input does not fit the tool, or a deny rule forbids it. `abort`: the run was stopped.
   */
  by: "client" | "timeout" | "policy" | "abort";
  /**
   * Who did it, as the control message's `actor` says. Absent where it says nothing.
   */
  actor?: string;
  /**
   * The application's signature of the decision, as the control message bears it. Absent where it bears none.
   */
  signature?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * The run is alive but has nothing to say.
 */
export interface PingEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "ping";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Milliseconds since the last event that was not a ping.
   */
  idle_ms: number;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * The agent asks the user something: answer by an `answer` control message.
 */
export interface QuestionEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "question";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of this question; the answer bears the same.
   */
  question_id: string;
  /**
   * Id of the call of the tool `AskUserQuestion`, as in `tool_call`.
   */
  tool_use_id: string;
  /**
   * What is asked, to be answered together.
   */
  questions: QuestionItem[];
  /**
   * RFC 3339 time in UTC. Without an answer by then the agent is told that nobody answered.
   */
  expires_at: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * One question of several that are asked together.
 */
export interface QuestionItem {
  /**
   * The question; its answer bears it as its key.
   */
  question: string;
  /**
   * A title of a word or two. Absent when the agent gave none.
   */
  header?: string;
  /**
   * The answers that are offered; a text of one's own is one too.
   */
  options: QuestionOption[];
  /**
   * True when more than one option may be chosen.
   */
  multi: boolean;
}
/**
 * An answer that the agent offers.
 */
export interface QuestionOption {
  /**
   * The answer in a few words; send it back as it is.
   */
  label: string;
  /**
   * What it means. Absent when the agent gave none.
   */
  description?: string;
}
/**
 * A `question` is settled.
 */
export interface QuestionResolvedEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "question_resolved";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the question, as in `question`.
   */
  question_id: string;
  /**
   * `client`: a control message. `timeout`: no answer in time. `abort`: the run was stopped.
   */
  by: "client" | "timeout" | "abort";
  /**
   * Who did it, as the control message's `actor` says. Absent where it says nothing.
   */
  actor?: string;
  /**
   * The application's signature of the decision, as the control message bears it. Absent where it bears none.
   */
  signature?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * A call of the API failed and will be tried again.
 */
export interface RetryEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "retry";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Number of the coming attempt, from 1.
   */
  attempt: number;
  /**
   * How many attempts will be made at most.
   */
  max_attempts: number;
  /**
   * Milliseconds until the attempt.
   */
  delay_ms: number;
  /**
   * HTTP status of the failed call. Absent when there was no response.
   */
  http_status?: number;
  /**
   * Why the call failed, out of the codes of `error`. Known values: `invalid_request`, `unsupported_version`, `policy_denied`, `budget_exhausted`, `auth`, `billing`, `rate_limited`, `overloaded`, `server_error`, `network`, `gateway`, `model_not_found`, `context_overflow`, `session_not_found`, `session_exists`, `session_busy`, `pool_full`, `output_schema`, `output_too_large`, `cli_missing`, `cli_crashed`, `state_unavailable`, `sandbox_unavailable`, `mcp_unavailable`, `timeout`, `idle_timeout`, `worker_lost`, `internal`; more may be added, so expect others.
   */
  code:
    | "invalid_request"
    | "unsupported_version"
    | "policy_denied"
    | "budget_exhausted"
    | "auth"
    | "billing"
    | "rate_limited"
    | "overloaded"
    | "server_error"
    | "network"
    | "gateway"
    | "model_not_found"
    | "context_overflow"
    | "session_not_found"
    | "session_exists"
    | "session_busy"
    | "pool_full"
    | "output_schema"
    | "output_too_large"
    | "cli_missing"
    | "cli_crashed"
    | "state_unavailable"
    | "sandbox_unavailable"
    | "mcp_unavailable"
    | "timeout"
    | "idle_timeout"
    | "worker_lost"
    | "internal"
    | (string & {});
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * The agent is up.
 */
export interface SessionEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "session";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the conversation; send it as `session.resume` to continue.
   */
  session_id: string;
  /**
   * Name of the model in use.
   */
  model: string;
  /**
   * Version of the agent's CLI; `none` with the engine `messages`.
   */
  cli_version: string;
  /**
   * Names of the tools that the model may call.
   */
  tools: string[];
  /**
   * True when an earlier conversation goes on.
   */
  resumed: boolean;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * First event of every accepted request, sent before the agent is up.
 */
export interface StartEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "start";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Name of the worker's command, such as `agent-chat`.
   */
  worker: string;
  /**
   * Version of agent-workers.
   */
  worker_version: string;
  /**
   * Version of the agent SDK.
   */
  sdk_version: string;
  /**
   * True when answers come from a simulator or a recording, not from a model.
   */
  simulated: boolean;
  /**
   * What does the work, as the request's `engine`. Absent where no model is asked. Known values: `agent`, `messages`; more may be added, so expect others.
   */
  engine?: "agent" | "messages" | (string & {});
  /**
   * What a pool served the run with. `live`: the agent of the same conversation, kept since its last answer. `warm`: an agent that was started ahead. `cold`: an agent started for this request. The answer does not depend on it. Absent where the worker was started by its caller. Known values: `cold`, `warm`, `live`; more may be added, so expect others.
   */
  warm?: "cold" | "warm" | "live" | (string & {});
  /**
   * The request's `metadata`. Absent when it had none.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * The request's `subject`. Absent when it had none.
   */
  subject?: Subject;
  /**
   * The request's `user`. Absent when it had none.
   */
  user?: string;
  /**
   * The request's `goal`. Absent when it had none.
   */
  goal?: string;
  /**
   * Name of the skill. Absent where none runs.
   */
  skill?: string;
  /**
   * Its version. Absent where it has none.
   */
  skill_version?: string;
  /**
   * Which attempt of the run begins, where an earlier one was lost: forget what came of that one, for this one begins anew, and its `seq` counts from 1. Absent in the first attempt.
   */
  attempt?: number;
  /**
   * The request's `traceparent`. Absent when it had none.
   */
  traceparent?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * A `steer` control message went in: the agent has read it.
 */
export interface SteeredEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "steered";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the control message.
   */
  id: string;
  /**
   * Who did it, as the control message's `actor` says. Absent where it says nothing.
   */
  actor?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * News of a subagent or of background work.
 */
export interface TaskEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "task";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the task; the same in all of its events.
   */
  task_id: string;
  /**
   * What happened. Known values: `started`, `progress`, `completed`, `failed`, `stopped`; more may be added, so expect others.
   */
  status: "started" | "progress" | "completed" | "failed" | "stopped" | (string & {});
  /**
   * What the task is about, for people.
   */
  description: string;
  /**
   * Id of the tool call that started the task. Absent when not known.
   */
  tool_use_id?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * A piece of the model's thinking; only sent if the request asked for it.
 */
export interface ThinkingEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "thinking";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Next piece of the thinking; append it unchanged.
   */
  text: string;
  /**
   * Number of the block that the piece belongs to; counted together with `delta`.
   */
  block: number;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * The model calls a tool that the worker runs.
 */
export interface ToolCallEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "tool_call";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the call; its `tool_result` bears the same.
   */
  tool_use_id: string;
  /**
   * Name of the tool.
   */
  name: string;
  /**
   * What the tool is called with; its shape is the tool's own.
   */
  input: {
    [k: string]: unknown;
  };
  /**
   * Id of the call that started the subagent which makes this one. Absent at top level.
   */
  parent_tool_use_id?: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * What a tool prints while it runs; only sent if the request asked for it. The whole result still follows.
 */
export interface ToolOutputEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "tool_output";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the call, as in `tool_call`.
   */
  tool_use_id: string;
  /**
   * Where the tool printed it. `stdout` also for the stderr of `Bash`, whose streams are one, in the order in which they were written, as in its result.
   */
  stream: "stdout" | "stderr";
  /**
   * Next piece of what it printed, unchanged: with carriage returns and the codes of colours. Absent bytes are counted by `truncated_bytes`: from 1 MiB a call on nothing more is sent.
   */
  text: string;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
/**
 * A tool call ended.
 */
export interface ToolResultEvent {
  /**
   * Version of the contract.
   */
  v: 1;
  /**
   * Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.
   */
  seq: number;
  /**
   * Id of the run: a UUID unless the request brought its own `run`.
   */
  run: string;
  /**
   * When the event was written: RFC 3339 in UTC with milliseconds.
   */
  ts: string;
  /**
   * Type of the event.
   */
  type: "tool_result";
  /**
   * SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first line of an attempt. The last field of the line. Absent unless the operator has lines chained.
   */
  prev?: string;
  /**
   * Id of the call, as in `tool_call`.
   */
  tool_use_id: string;
  /**
   * `ok`: it worked. `error`: the tool failed. `denied`: it was not allowed to run.
   */
  status: "ok" | "error" | "denied";
  /**
   * The result as text; parts that are no text are named in square brackets.
   */
  content: string;
  /**
   * Id of the call that started the subagent which made this one. Absent at top level.
   */
  parent_tool_use_id?: string;
  /**
   * Whether the same call may succeed later. Absent when unknown, and without an error.
   */
  retryable?: boolean;
  /**
   * True when the application answered from its record of an earlier attempt, and ran nothing. Absent otherwise.
   */
  replayed?: boolean;
  /**
   * UTF-8 bytes that a cut removed from this event's fields to keep the line within 256 KiB. Absent when nothing was cut.
   */
  truncated_bytes?: number;
}
