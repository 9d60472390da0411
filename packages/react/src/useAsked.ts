import { useEffect, useReducer } from "react";
import type { AgentView } from "./agentStream.js";
import type { Permission, Question } from "./answer.js";
import type { Answers, Reply } from "./replies.js";
import type { AgentChat } from "./useAgentStream.js";

interface Open {
  /** The answer that was given here; it counts once the run says so, and the question is not open any more. */
  reply?: Reply;
  /** True while an answer is on its way or has arrived: another one would do nothing. */
  isAnswered: boolean;
  /** Milliseconds until the question expires, in steps of a second; absent if it does not. */
  leftMs?: number;
}

export interface OpenPermission extends Permission, Open {
  /** Whether a subagent asks. */
  isBySubagent: boolean;
  /** These return false, and do nothing, where an answer would not count. */
  allow(): boolean;
  deny(message?: string): boolean;
}

export interface OpenQuestion extends Question, Open {
  /** The answer to each question by its text; false, and nothing happens, where it would not count. */
  answer(answers: Answers): boolean;
}

/** The calls for which the agent waits for permission; none when no agent works. */
export function usePermissions(chat: AgentChat): OpenPermission[] {
  const open = openOf(chat, chat.permissions);
  useSeconds(open);
  return open.map((permission) => ({
    ...permission,
    isBySubagent: chat.toolCalls.find(({ id }) => id === permission.toolUseId)?.parentId !== undefined,
    allow: () => chat.decide(permission.id, "allow"),
    deny: (message) => chat.decide(permission.id, "deny", message),
  }));
}

/** What the agent asks, and waits to be told; nothing when no agent works. */
export function useQuestions(chat: AgentChat): OpenQuestion[] {
  const open = openOf(chat, chat.questions);
  useSeconds(open);
  return open.map((question) => ({ ...question, answer: (answers) => chat.answer(question.id, answers) }));
}

function openOf<T extends Permission | Question>({ state, replies }: AgentView, asked: T[]): (T & Open)[] {
  const busy = state === "connecting" || state === "streaming";
  const open = busy ? asked.filter(({ resolved }) => !resolved) : [];
  return open.map((each) => {
    const reply = Object.hasOwn(replies, each.id) ? replies[each.id] : undefined;
    const leftMs = each.expiresAt === undefined ? undefined : Math.max(0, each.expiresAt - Date.now());
    return { ...each, reply, isAnswered: reply !== undefined && reply.state !== "failed", leftMs };
  });
}

/** Renders again each second while a time runs out. */
function useSeconds(open: Open[]): void {
  const [, tick] = useReducer((ticks: number) => ticks + 1, 0);
  const runs = open.some(({ leftMs = 0 }) => leftMs > 0);
  useEffect(() => {
    if (!runs) return;
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [runs]);
}
