import type { AgentConversations, ListedConversation } from "@agent-workers/react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { when, WORDS } from "./words";

/** Where the list stands beside the messages; narrower, it opens over them. */
export const WIDE = "(width >= 60rem)";

interface Props {
  conversations: AgentConversations;
  /** Whether what is deleted cannot be brought back. */
  isForGood?: boolean;
  isOpen: boolean;
  /** Closes the list, where it is open over the messages. */
  onClose(): void;
  /** Called when something was chosen where the list is open over the messages. */
  onChosen(): void;
}

/** The visitor's conversations: one is opened, deleted, brought back. */
export function History({ conversations, isForGood = false, isOpen, onClose, onChosen }: Props) {
  const { list, current, removed, open, remove, undo } = conversations;
  const nav = useRef<HTMLElement>(null);
  const undoing = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    const find = (which: string) => nav.current?.querySelector<HTMLElement>(which);
    if (isOpen) (find("[aria-current]") ?? find("button"))?.focus();
  }, [isOpen]);

  const choose = (id: string) => {
    open(id);
    if (isOpen) onChosen();
  };
  // The button that was pressed goes away with its conversation; what brings it back takes the focus.
  const [isDeleting, setDeleting] = useState(false);
  useEffect(() => {
    if (isDeleting && removed) undoing.current?.focus();
    setDeleting(false);
  }, [isDeleting, removed]);
  const [back, setBack] = useState("");
  useEffect(() => {
    const rows = [...(nav.current?.querySelectorAll<HTMLElement>("[data-id]") ?? [])];
    if (back) rows.find(({ dataset }) => dataset.id === back)?.focus();
    setBack("");
  }, [back]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.preventDefault();
    onClose();
  };
  return (
    <>
      {isOpen && <div className="veil" onClick={onClose} />}
      <nav
        ref={nav}
        id="agent-conversations"
        className="conversations"
        aria-label={WORDS.conversations}
        data-open={isOpen}
        onKeyDown={onKeyDown}
      >
        <h2>{WORDS.conversations}</h2>
        {list.length === 0 && <p className="none">{WORDS.noConversations}</p>}
        <ul>
          {list.map((each) => (
            <Row
              key={each.id}
              conversation={each}
              isCurrent={each.id === current}
              onOpen={() => choose(each.id)}
              onDelete={() => {
                if (isForGood && !window.confirm(WORDS.deleteForGood(each.title))) return;
                remove(each.id);
                setDeleting(true);
              }}
            />
          ))}
        </ul>
        <div className="removed" role="status">
          {removed && (
            <>
              <span dir="auto">{WORDS.deleted(removed.title)}</span>
              <button
                ref={undoing}
                type="button"
                onClick={() => {
                  undo();
                  setBack(removed.id);
                }}
              >
                {WORDS.undo}
              </button>
            </>
          )}
        </div>
      </nav>
    </>
  );
}

interface RowProps {
  conversation: ListedConversation;
  isCurrent: boolean;
  onOpen(): void;
  onDelete(): void;
}

function Row({ conversation, isCurrent, onOpen, onDelete }: RowProps) {
  const { id, title, at, state, isAsking } = conversation;
  const isBusy = state === "connecting" || state === "streaming";
  return (
    <li>
      <button type="button" className="row" data-id={id} aria-current={isCurrent ? "true" : undefined} onClick={onOpen}>
        <span className="title" dir="auto">
          {title}
        </span>
        {isBusy ? (
          <span className="busy">{isAsking ? WORDS.asksYou : WORDS.answersNow}</span>
        ) : (
          <time dateTime={new Date(at).toISOString()}>{when(at)}</time>
        )}
      </button>
      <button type="button" className="quiet delete" aria-label={WORDS.deleteMore(title)} onClick={onDelete}>
        <span aria-hidden="true">×</span>
      </button>
    </li>
  );
}
