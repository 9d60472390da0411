import { type AgentChat, QuestionForm, usePermissions, useQuestions } from "@agent-workers/react";
import { useLayoutEffect, useRef } from "react";
import { Approval } from "./Approval";
import { asked } from "./words";

interface Props {
  chat: AgentChat;
  focusTextbox(): void;
}

/** A click so soon after questions moved was meant for what was there before. */
const SETTLE_MS = 500;

/** What the agent asks, each with its own form: the page goes on beside them, so that its Stop button works. */
export function Asked({ chat, focusTextbox }: Props) {
  const permissions = usePermissions(chat);
  const questions = useQuestions(chat);
  const open = [...permissions, ...questions];
  const { panel, hasSettled } = usePlaces(open.map(({ id }) => id).join(" "), focusTextbox);
  if (open.length === 0) return null;
  return (
    <div className="questions" ref={panel} role="group" aria-label={asked(open.length)}>
      {permissions.map((each) => (
        <Approval key={each.id} permission={each} chat={chat} hasSettled={hasSettled} />
      ))}
      {questions.map((each) => (
        <QuestionForm key={each.id} question={each} reply={each.reply} answer={chat.answer} />
      ))}
    </div>
  );
}

/** Keeps the focus, and ignores clicks that come too soon, when questions come and go. */
function usePlaces(ids: string, focusTextbox: () => void) {
  const panel = useRef<HTMLDivElement>(null);
  const before = useRef("");
  const movedAt = useRef(0);
  useLayoutEffect(() => {
    if (ids === before.current) return;
    const hadAny = before.current !== "";
    before.current = ids;
    movedAt.current = performance.now();
    if (!isFocusFree()) return;
    const first = panel.current?.querySelector<HTMLElement>("[role=alertdialog], [role=dialog]");
    // The question itself, not one of its buttons: a key that was meant for something else must not answer.
    if (first) first.focus();
    else if (hadAny) focusTextbox();
  });
  const hasSettled = () => performance.now() - movedAt.current >= SETTLE_MS;
  return { panel, hasSettled };
}

/** True if the focus may move: nothing has it, or an empty textbox. */
function isFocusFree(): boolean {
  const active = document.activeElement;
  return !active || active === document.body || (active instanceof HTMLTextAreaElement && !active.value);
}
