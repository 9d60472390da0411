import { isByPerson, type NamedCall, plainName, type Problem } from "@agent-workers/react";
import type { ExchangeProps } from "./Exchange";
import {
  againIn, didYouMean, early, isGone, leftEarly, mayContinue, nextStep, notAllowed, notTold, stoppedByServer, stoppedByYou, waitsFor,
  WORDS,
} from "./words"; // prettier-ignore

/** How the run ended, and what can be done about it. */
export function Ending(props: ExchangeProps) {
  const { view, onSend } = props;
  if (view.state === "error") return <Failed {...props} />;
  if (view.state === "stopped") return <Stopped {...props} />;
  if (view.state !== "done") return null;
  const cut = early(view.stopReason);
  return (
    <>
      {cut && (
        <div className="mark" data-testid="early" data-code={view.stopReason}>
          <p>{cut}</p>
          <p className="choices">
            {onSend && mayContinue(view.stopReason) && (
              <button type="button" onClick={() => onSend(WORDS.continuePrompt)}>
                {WORDS.continue}
              </button>
            )}
          </p>
        </div>
      )}
      {view.pending && <p className="note">{waitsFor(plainName(view.pending.name))}</p>}
      {view.denials && <p className="note">{notAllowed(names(view.denials))}</p>}
    </>
  );
}

function Stopped({ view, onRetry, onSend }: ExchangeProps) {
  const isByYou = view.stoppedBy === "user";
  return (
    <div className="mark">
      <p>{isByYou ? stoppedByYou : view.stoppedBy ? stoppedByServer : leftEarly}</p>
      {view.stopError && (
        <p role="alert" data-code={view.stopError.code}>
          {notTold(view.stopError.message)}
        </p>
      )}
      {onRetry && (
        <p className="choices">
          {onSend && view.text && (
            <button type="button" onClick={() => onSend(WORDS.continuePrompt)}>
              {WORDS.continue}
            </button>
          )}
          <button type="button" onClick={onRetry}>
            {WORDS.again}
          </button>
        </p>
      )}
    </div>
  );
}

function Failed({ view, onRetry, onAnew, retryInMs = 0 }: ExchangeProps) {
  const { error, toolCalls } = view;
  if (!error) return null;
  const seconds = Math.ceil(retryInMs / 1000);
  // The card of a person's tool shows why it failed, and has the retry.
  const isShown = toolCalls.some(({ status, content }) => status === "error" && content === error.message);
  if (isByPerson(view) && isShown) {
    return (
      <p role="alert" className="for-ears">
        {error.message}
      </p>
    );
  }
  const next = nextStep(error);
  return (
    <div className="failed">
      <p role="alert" data-code={error.code}>
        {error.message}
      </p>
      {error.details?.filter(isNews(error.message)).map(({ pointer, message, did_you_mean: meant }, index) => (
        <p key={index}>
          <code>{pointer.split("/").at(-1)}</code> {message} {meant && didYouMean(meant)}
        </p>
      ))}
      {next && <p>{next}</p>}
      {onAnew && isGone(error) && (
        <p className="choices">
          <button type="button" onClick={() => onAnew(view.prompt ?? "")}>
            {WORDS.anew}
          </button>
        </p>
      )}
      {onRetry && error.retryable && (
        <p className="choices">
          <button type="button" onClick={onRetry} disabled={seconds > 0}>
            {WORDS.again}
          </button>
          {seconds > 0 && <span>{againIn(seconds)}</span>}
        </p>
      )}
    </div>
  );
}

/** Whether the whole message does not say it already. */
const isNews = (whole: string) => (problem: Problem) => !whole.includes(problem.message);

/** "Bash, Write (2)". */
function names(calls: NamedCall[]): string {
  const counts = new Map<string, number>();
  for (const { name } of calls) counts.set(plainName(name), (counts.get(plainName(name)) ?? 0) + 1);
  return Array.from(counts, ([name, count]) => (count > 1 ? `${name} (${count})` : name)).join(", ");
}
