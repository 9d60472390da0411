import { act, renderHook, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, expect } from "vitest";
import type { AgentState, AgentStreamOptions } from "../src/agentStream.js";
import { type AgentChat, useAgentStream } from "../src/useAgentStream.js";
import { AgentServer } from "./server.js";

/** Silence as in the field, past any test's time: none may pass because of it. */
const QUICK = { silenceMs: 45_000, backoffMs: 5, resumes: 3 };

/** The server of the test that runs. */
export let server: AgentServer;

export function serveEachTest(): void {
  beforeEach(async () => {
    // What a page keeps, it keeps by address: a port may be that of an earlier test's server.
    globalThis.localStorage?.clear();
    globalThis.sessionStorage?.clear();
    server = await AgentServer.start();
  });
  afterEach(() => server.stop());
}

/** Mounts the hook under StrictMode and records what each render saw. */
export function mount(options: Partial<AgentStreamOptions> = {}) {
  const renders: AgentChat[] = [];
  const base = options.base ?? server.base;
  const timing = { ...QUICK, ...options.timing };
  const { result, unmount } = renderHook(
    () => {
      const chat = useAgentStream({ ...options, base, timing });
      renders.push(chat);
      return chat;
    },
    { wrapper: StrictMode },
  );
  return {
    renders,
    unmount,
    now: () => result.current,
    send: (prompt = "Hi") => act(() => result.current.send(prompt)),
    stop: () => act(() => result.current.stop()),
    retry: () => {
      let sent = false;
      act(() => void (sent = result.current.retry()));
      return sent;
    },
    reaches: (state: AgentState) => waitFor(() => expect(result.current.state).toBe(state)),
    says: (text: string) => waitFor(() => expect(result.current.text).toBe(text)),
  };
}

/** The states in the order in which they were rendered, without repetitions. */
export function statesOf(renders: AgentChat[]): string[] {
  const states = renders.map(({ state, reconnecting }) => (reconnecting ? "reconnecting" : state));
  return states.filter((state, index) => state !== states[index - 1]);
}
