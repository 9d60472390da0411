/** All words of the pages, but for those of the package's parts. */

import type { AgentView, Failure } from "@agent-workers/react";

export const WORDS = {
  // Shell
  messages: "Messages",
  newConversation: "New conversation",
  conversations: "Conversations",
  noConversations: "What you write here is kept in this browser.",
  answersNow: "Answering …",
  asksYou: "Waits for you",
  deleteMore: (title: string) => `Delete: ${title}`,
  deleteForGood: (title: string) => `Delete “${title}”, and all that was said in it, for good?`,
  deleted: (title: string) => `Deleted: ${title}`,
  undo: "Undo",
  anew: "Send it in a new conversation",
  forgotten: "The server had forgotten this conversation: the agent does not know what was said above.",
  toEnd: "Jump to the latest",
  message: "Message",
  placeholder: "Write a message",
  placeholderBusy: "Add something …",
  send: "Send",
  stop: "Stop",
  keys: "Enter sends, Shift+Enter starts a new line.",
  welcome: "What can I do for you?",
  examples: "For example",
  offline: "You are offline. You can send messages again when the connection is back.",
  offlineBusy: "You are offline. The answer goes on when the connection is back.",
  reconnecting: "The connection was lost. Connecting again …",
  simulated: "simulated",
  simulatedMore: "No model answers here: a simulator plays a prepared answer.",

  // An exchange
  you: "You",
  answer: "Answer",
  thinking: "Thinking",
  edit: "Edit",
  editMore: "Edit this message and send it again",
  copy: "Copy",
  copied: "Copied",
  notCopied: "Could not copy",
  again: "Try again",
  continue: "Continue",
  continuePrompt: "Continue.",
  table: "Table",
  image: "Image",
  code: "Code",
  checked: "done",
  unchecked: "open",

  // Tools
  input: "input",
  result: "result",
  output: "output",
  application: "application",
  noOutput: "No output.",
  replayed: "From the record of an earlier attempt: nothing was done again.",
  mayWorkLater: "The same call may succeed later.",
  wouldFail: "The same call would fail again.",
  waitsForAnswer: "Waits for your answer.",

  // Approvals
  allow: "Allow",
  deny: "Deny",
  back: "Back",
  why: "Why not",
  whyMore: "Why not? What should happen instead? (optional)",
  timeUp: "The time is up.",
  everyOccurrence: "Every occurrence in the file is replaced.",
  wholeFile: "This becomes the whole content of the file.",
  alsoSet: "Also set",
  lessOfChange: "Less of the change",
  removed: "removed: ",
  added: "added: ",
};

/** What a state is called. */
export function stateOf({ state, reconnecting, stopReason, permissions, questions }: AgentView): string {
  if (reconnecting) return "Connecting again …";
  if (state === "streaming" && [...permissions, ...questions].some(({ resolved }) => !resolved)) return "Waiting for you";
  if (state === "done" && stopReason === "refusal") return "Declined";
  if (state === "done" && stopReason && stopReason !== "end_turn") return "Ended early";
  return STATES[state];
}

const STATES: Record<AgentView["state"], string> = {
  idle: "Ready",
  connecting: "Connecting …",
  streaming: "Answering …",
  done: "Done",
  error: "Not answered",
  stopped: "Stopped",
};

/** What to say while nothing comes, after so many seconds. */
export function waiting(seconds: number, isBegun: boolean): string {
  if (seconds < 4) return isBegun ? "Working …" : "Thinking …";
  if (seconds < 15) return isBegun ? "Still working …" : "Still thinking …";
  const since = `Nothing has come for ${duration(seconds * 1000)}.`;
  return seconds < 60 ? `${since} This takes longer than usual.` : `${since} You can go on waiting, or stop and try again.`;
}

/** Why an answer ended before its end; undefined if it did not. */
export function early(reason: string | undefined): string | undefined {
  if (reason === undefined || reason === "end_turn") return undefined;
  return EARLY[reason] ?? `The answer ended early (${reason}).`;
}

const EARLY: Record<string, string> = {
  refusal: "The model declined to answer this. Put it in other words, or ask something else.",
  max_tokens: "The answer reached its greatest length and breaks off here.",
  max_turns: "The agent has taken as many steps as it may, and paused here.",
  max_budget: "The agent has used up what this task may cost, and paused here.",
  permission_required: "The agent needs a decision before it can go on.",
};

/** Whether going on may bring the rest. */
export const mayContinue = (reason: string | undefined): boolean => reason === "max_tokens" || reason === "max_turns";

/** What a person can do about a failure; undefined where its message says it. */
export function nextStep({ code, retryable }: Failure): string | undefined {
  return NEXT[code] ?? (retryable ? "Nothing is lost: try again." : undefined);
}

const GONE = "The server does not have this conversation any more. You can go on reading it here, and begin a new one with the same message.";

const NEXT: Record<string, string> = {
  context_overflow: "Begin a new conversation, or shorten your message.",
  overloaded: "It is usually free again within a minute.",
  rate_limited: "Wait a moment before the next message.",
  server_busy: "A place is usually free within a minute.",
  pool_full: "A place is usually free within a minute.",
  session_busy: "Wait until the other answer is done, or stop it there.",
  session_not_found: GONE,
  session_exists: GONE,
  network: "Check your connection, then try again.",
  timeout: "Ask for less at once, or try again.",
  idle_timeout: "Try again.",
  auth: "This is not yours to mend: tell whoever runs this site.",
  billing: "This is not yours to mend: tell whoever runs this site.",
  cli_missing: "This is not yours to mend: tell whoever runs this site.",
  policy_denied: "This site does not allow it.",
  budget_exhausted: "Come back when the budget is renewed, or tell whoever runs this site.",
};

/** Whether a conversation cannot be gone on with, because of the server. */
export const isGone = ({ code }: Failure): boolean => code === "session_not_found" || code === "session_exists";

/** "14:05" of today, "Mon 14:05" of this week, else "26 Nov 2026". */
export function when(at: number, now = Date.now()): string {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat("en-GB", options).format(at);
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  if (isToday) return format(time);
  const isRecent = Math.abs(now - at) < 6 * 24 * 3_600_000;
  return format(isRecent ? { weekday: "short", ...time } : { day: "numeric", month: "short", year: "numeric" });
}

export const stoppedByServer = "The server stopped this answer.";
export const leftEarly = "This page was left before the answer was done.";
export const stoppedByYou = "You stopped this answer.";
export const notTold = (message: string) => `The server could not be told, and may go on: ${message}`;
export const waitsFor = (name: string) => `Waits for a decision: ${name}.`;
export const notAllowed = (names: string) => `Not allowed: ${names}.`;
export const retrying = (attempt: number, most: number) =>
  `The model did not answer. Attempt ${attempt} of ${most} follows by itself.`;
export const beganAgain = "It was interrupted, and began again.";
export const againIn = (seconds: number) => `in ${seconds} s`;
export const didYouMean = (name: string) => `Did you mean ${name}?`;
export const denials = (left: string) => `${left} left, then it is denied`;
export const asked = (count: number) => (count > 1 ? `${count} questions` : "A question");
export const notAll = (bytes: number) =>
  `This is not all of it: ${bytes.toLocaleString("en")} bytes were left out. Deny what you cannot see.`;
export const lines = (count: number) => `The whole change (${count.toLocaleString("en")} lines)`;
export const callsOf = (name: string) => `Calls of the subagent of ${name}`;
export const subtask = (description: string, status: string) => `${description} (${SUBTASKS[status] ?? status})`;

const SUBTASKS: Record<string, string> = { started: "at work", completed: "done", failed: "failed", stopped: "stopped" };

/** "0.4 s", "12 s", "2 min 5 s". */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
}

/** What an answer took, for those who want to know: tokens, and an estimate of the cost. */
export function spent({ usage, costUsd, model }: AgentView): string {
  const { input_tokens: read, output_tokens: written } = usage ?? {};
  return [
    model,
    read !== undefined && `${read} tokens in`,
    written !== undefined && `${written} out`,
    costUsd !== undefined && `about $${costUsd.toFixed(4)}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

export const answering = "Answering.";
export const longAnswer = (beginning: string) => `${beginning} … The rest of the answer is on the page.`;

export const CHAT = {
  title: "Chat",
  hint: "Ask a question, or paste a text to work on.",
  examples: ["Explain how a lighthouse works, step by step", "Compare three ways to store dates, in a table"],
};

export const TASK = {
  title: "Task",
  hint: "Say what is to be done. You are asked before the agent changes anything.",
  examples: ["Read notes.txt, and do what is still open there", "Summarise the files in this folder"],
};
