import { WORDS } from "./words";

interface Props {
  hint: string;
  examples: string[];
  /** Puts the prompt into the textbox, where it can be changed before it is sent. */
  onChoose(prompt: string): void;
}

/** What the page says before the first message. */
export function Empty({ hint, examples, onChoose }: Props) {
  return (
    <div className="empty">
      <p className="welcome">{WORDS.welcome}</p>
      <p>{hint}</p>
      {examples.length > 0 && (
        <ul aria-label={WORDS.examples}>
          {examples.map((prompt) => (
            <li key={prompt}>
              <button type="button" className="example" dir="auto" onClick={() => onChoose(prompt)}>
                {prompt}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
