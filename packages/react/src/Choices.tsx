import { useId } from "react";
import type { Choice } from "./choice.js";
import type { QuestionItem } from "./events.js";
import { plain } from "./words.js";

interface Props {
  item: QuestionItem;
  choice: Choice;
  isMissing: boolean;
  onChoose(choice: Choice): void;
}

/** One question with the answers that are offered, and a text of one's own. */
export function Choices({ item, choice, isMissing, onChoose }: Props) {
  const { question, header, options, multi } = item;
  const id = useId();
  const type = multi ? "checkbox" : "radio";
  const toggle = (label: string, on: boolean) => {
    const others = multi ? choice.labels.filter((each) => each !== label) : [];
    onChoose({ ...choice, labels: on ? [...others, label] : others, isOther: multi && choice.isOther });
  };
  const toggleOther = (on: boolean) => onChoose({ ...choice, labels: multi ? choice.labels : [], isOther: on });
  const write = (other: string) =>
    onChoose({ labels: multi ? choice.labels : [], isOther: multi ? other.trim() !== "" : true, other });
  return (
    <fieldset aria-describedby={isMissing ? `${id}-missing` : undefined} aria-invalid={isMissing}>
      <legend>
        {header && <span className="badge">{plain(header)}</span>} {plain(question)}
      </legend>
      {multi && <p>More than one may be chosen.</p>}
      {options.map(({ label, description }, index) => (
        <label key={index} className="option">
          <input
            type={type}
            name={id}
            checked={choice.labels.includes(label)}
            aria-describedby={description && `${id}-${index}`}
            onChange={(event) => toggle(label, event.target.checked)}
          />
          <span>
            {plain(label)}
            {description && <small id={`${id}-${index}`}>{plain(description)}</small>}
          </span>
        </label>
      ))}
      <div className="option">
        <input
          type={type}
          name={id}
          id={`${id}-other`}
          checked={choice.isOther}
          onChange={(event) => toggleOther(event.target.checked)}
        />
        <label htmlFor={`${id}-other`}>Other</label>
        <input
          value={choice.other}
          maxLength={10_000}
          aria-label={`Other answer to: ${question}`}
          placeholder="An answer of your own"
          onChange={(event) => write(event.target.value)}
        />
      </div>
      {isMissing && (
        <p id={`${id}-missing`} role="alert">
          {choice.isOther ? "Write your answer, or choose one." : "Choose an answer, or write one."}
        </p>
      )}
    </fieldset>
  );
}
