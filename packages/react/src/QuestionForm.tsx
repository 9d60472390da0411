import { type FormEvent, useId, useRef, useState } from "react";
import type { AgentStream } from "./agentStream.js";
import type { Question } from "./answer.js";
import { type Choice, isMade, NONE, toAnswer } from "./choice.js";
import { Choices } from "./Choices.js";
import type { Answers, Reply } from "./replies.js";
import { ReplyFailure, ReplyState } from "./ReplyState.js";
import { useCountdown } from "./useCountdown.js";
import { clock } from "./words.js";

interface Props {
  question: Question;
  reply?: Reply;
  answer: AgentStream["answer"];
}

/** What the agent asks of a person: its questions are answered together. */
export function QuestionForm({ question, reply, answer }: Props) {
  const { id, items, expiresAt } = question;
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const [missing, setMissing] = useState<string>();
  const form = useRef<HTMLDivElement>(null);
  const title = useId();
  const left = useCountdown(expiresAt);
  const replied = reply !== undefined && reply.state !== "failed";
  // A question may be called "constructor", as what every object has.
  const choiceOf = (text: string) => (Object.hasOwn(choices, text) ? choices[text]! : NONE);

  const choose = (text: string, choice: Choice) => {
    setChoices({ ...choices, [text]: choice });
    if (text === missing && isMade(choice)) setMissing(undefined);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const open = items.findIndex((item) => !isMade(choiceOf(item.question)));
    setMissing(items[open]?.question);
    if (open >= 0) form.current!.querySelectorAll("fieldset")[open]!.querySelector("input")?.focus();
    else answer(id, Object.fromEntries(items.map((item) => [item.question, toAnswer(item, choiceOf(item.question))])) as Answers);
  };

  return (
    <div
      ref={form}
      className="question"
      data-part="question"
      role="dialog"
      aria-labelledby={title}
      tabIndex={-1}
      data-question={id}
      onSubmit={submit}
    >
      <form noValidate>
        <h2 id={title}>{items.length > 1 ? "The agent has questions" : "The agent has a question"}</h2>
        {items.map((item, index) => (
          <Choices
            key={index}
            item={item}
            choice={choiceOf(item.question)}
            isMissing={missing === item.question}
            onChoose={(choice) => !replied && choose(item.question, choice)}
          />
        ))}
        <div className="choices">
          {/* Not disabled: the keyboard would lose its place. What is sent twice counts once. */}
          <button type="submit" aria-disabled={replied}>
            Answer
          </button>
          {expiresAt !== undefined && !replied && (
            <span data-testid="countdown">
              {left > 0 ? `${clock(left)} left, then the agent goes on without an answer` : "The time is up."}
            </span>
          )}
          <ReplyState reply={reply} />
        </div>
        <ReplyFailure reply={reply} />
      </form>
    </div>
  );
}
