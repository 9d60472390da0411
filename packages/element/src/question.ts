import { type AgentView, type Answers, type Choice, isMade, NONE, plain, type Question, type QuestionItem, toAnswer } from "@agent-workers/react/stream";
import { replyState } from "./asked";
import { el, set, type Shown, tell } from "./dom";
import type { Page } from "./page";
import { fill, type Words } from "./words";

let made = 0;

/** What the agent asks of a person: its questions are answered together. */
export function questionForm({ id, items }: Question, page: Page): Shown<{ each: Question; view: AgentView }> {
  const { words } = page;
  const title = `question-${++made}`;
  const fields = items.map((item) => fieldOf(item, words));
  const answer = replyState(words, words.leftToAnswer);
  const send = el("button", { type: "submit", part: "button reply" }, words.reply);
  const submit = (event: Event) => {
    event.preventDefault();
    for (const field of fields) field.warn();
    const open = fields.find((field) => !isMade(field.choice()));
    if (open) return open.focus();
    const given = fields.map((field, index) => [items[index]!.question, toAnswer(items[index]!, field.choice())]);
    page.conversation.stream.answer(id, Object.fromEntries(given) as Answers);
  };
  const heading = el("h2", { id: title }, items.length > 1 ? words.questions : words.question);
  const node = el(
    "form",
    { part: "question", "data-question": id, role: "dialog", "aria-labelledby": title, tabindex: "-1", novalidate: true, submit },
    heading,
    ...fields.map((field) => field.node),
    el("p", { part: "choices" }, send, " ", answer.left),
    answer.node,
  );
  const show = ({ each, view }: { each: Question; view: AgentView }) => {
    const isTaken = answer.show(view.replies[id], each.expiresAt);
    set(send, "aria-disabled", isTaken && "true");
  };
  return { node, show };
}

/** One question with the answers that are offered, and a text of one's own. */
function fieldOf({ question, header, options, multi }: QuestionItem, words: Words) {
  const type = multi ? "checkbox" : "radio";
  const name = `field-${++made}`;
  const missing = el("p", { id: `${name}-missing`, role: "alert", part: "error" });
  const option = () => el("input", { type, name });
  const boxes = options.map(option);
  const other = option();
  const own = el("input", {
    part: "input",
    maxlength: "10000",
    placeholder: words.ownAnswer,
    "aria-label": fill(words.otherAnswer, { question }),
    input: () => {
      other.checked = multi ? own.value.trim() !== "" : true;
      if (isMade(choice())) warn();
    },
  });
  const choice = (): Choice => ({
    labels: options.filter((_, index) => boxes[index]!.checked).map(({ label }) => label),
    isOther: other.checked,
    other: own.value,
  });
  const warn = () => {
    const isMissing = !isMade(choice());
    tell(missing, isMissing && (other.checked ? words.writeOrChoose : words.chooseOrWrite));
    set(node, "aria-invalid", isMissing && "true");
    set(node, "aria-describedby", isMissing && missing.id);
  };
  const labels = options.map(({ label, description }, index) =>
    el("label", { part: "option" }, boxes[index]!, " ", plain(label), ...(description ? [" ", el("small", {}, plain(description))] : [])),
  );
  const legend = el("legend", {}, [header && `${plain(header)}:`, plain(question), multi && words.several].filter(Boolean).join(" "));
  const node = el(
    "fieldset",
    { change: () => missing.hidden || warn() },
    legend,
    ...labels,
    el("p", { part: "option" }, el("label", {}, other, ` ${words.other}`), " ", own),
    missing,
  );
  missing.hidden = true;
  const focus = () => (other.checked ? own : (boxes[0] ?? other)).focus();
  return { node, choice: () => (isMade(choice()) ? choice() : NONE), warn, focus };
}
