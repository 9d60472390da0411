/** A tool call in one line: what is done, to what, and how it ended. */

import { type AgentView, callState, isAppTool, type Json, plain, plainName, type ToolCall } from "@agent-workers/react";

type Verbs = [running: string, done: string];
/** The tools whose input says best what they do: how that is said, and the field that names its object. */
const KNOWN: Record<string, [Verbs, string]> = {
  Read: [["Reading", "Read"], "file_path"],
  Write: [["Writing", "Wrote"], "file_path"],
  Edit: [["Editing", "Edited"], "file_path"],
  MultiEdit: [["Editing", "Edited"], "file_path"],
  NotebookEdit: [["Editing", "Edited"], "notebook_path"],
  Bash: [["Running", "Ran"], "command"],
  Glob: [["Looking for", "Looked for"], "pattern"],
  Grep: [["Searching for", "Searched for"], "pattern"],
  WebFetch: [["Fetching", "Fetched"], "url"],
  WebSearch: [["Searching the web for", "Searched the web for"], "query"],
  Agent: [["Subagent at work:", "Subagent:"], "description"],
  Task: [["Subagent at work:", "Subagent:"], "description"],
};
const LONGEST = 80;

/** What a call does: "Ran" and "npm test". */
export function deed(call: ToolCall, view: AgentView): { verb: string; object: string } {
  const { name, input } = call;
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
  if (!known) return { verb: spoken(name), object: arguments_(input) };
  const [verbs, field] = known;
  const state = callState(call, view);
  const isOver = state === "ok" || state === "error";
  const verb = isOver ? verbs[1] : state === "running" ? verbs[0] : name;
  return { verb, object: short(input[field]) };
}

/** "find_partner" as people write it: "Find partner"; a tool of an MCP server: "github: search". */
function spoken(name: string): string {
  const [, server, tool] = /^mcp__(.+?)__(.+)$/.exec(name) ?? [];
  const words = (isAppTool(name) ? plainName(name) : (tool ?? plainName(name))).replaceAll("_", " ");
  const told = words.charAt(0).toUpperCase() + words.slice(1);
  return server && !isAppTool(name) ? `${server}: ${words}` : told;
}

/** The values of a small input. */
function arguments_(input: Json): string {
  const values = Object.values(input).filter((value) => ["string", "number", "boolean"].includes(typeof value));
  return short(values.join(", "));
}

function short(value: unknown): string {
  const [line = "", ...more] = typeof value === "string" ? value.trim().split("\n") : [];
  const isLong = line.length > LONGEST || more.length > 0;
  return plain(isLong ? `${line.slice(0, LONGEST).replace(/[\uD800-\uDBFF]$/, "")} …` : line);
}

/** The question whether a tool may be used. */
export function mayDo(name: string, input: Json, isBySubagent: boolean): string {
  const who = isBySubagent ? "a subagent" : "the agent";
  const [verb, field] = (Object.hasOwn(ASKED, name) && ASKED[name]) || [];
  const object = field === undefined ? "" : short(input[field]);
  if (!verb || (field && !object)) return `May ${who} use ${plainName(name)}?`;
  return `May ${who} ${verb}${object && ` ${object}`}?`;
}

const ASKED: Record<string, [verb: string, field?: string]> = {
  Read: ["read", "file_path"],
  Write: ["write", "file_path"],
  Edit: ["edit", "file_path"],
  MultiEdit: ["edit", "file_path"],
  Bash: ["run this command"],
  WebFetch: ["fetch", "url"],
  WebSearch: ["search the web for", "query"],
};

/** How a call stands. */
export const told = (state: string): string => (Object.hasOwn(STATES, state) ? STATES[state]! : state);

const STATES: Record<string, string> = {
  ok: "done",
  error: "failed",
  denied: "not allowed",
  running: "running",
  waiting: "waits for you",
  unfinished: "not finished",
};
