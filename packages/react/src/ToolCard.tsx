import { Folded } from "./Folded.js";
import type { ToolCardProps } from "./parts.js";
import { Printed } from "./Printed.js";
import { withoutCodes } from "./terminal.js";
import { answered, callState, isNested, plain, plainName, pretty, settlement } from "./words.js";

/** A tool call with all that is known of it, and in it the calls of the subagent that it started. */
export function ToolCard({ call, view, parts }: ToolCardProps) {
  const { id, name, input, inputCut, status, output, content, contentCut, durationMs } = call;
  const Card = parts?.ToolCard ?? ToolCard;
  const state = callState(call, view);
  const permissions = view.permissions.filter(({ toolUseId, resolved }) => toolUseId === id && resolved);
  const questions = view.questions.filter(({ toolUseId }) => toolUseId === id);
  const children = view.toolCalls.filter((other) => other.parentId === id && isNested(other, view.toolCalls));
  return (
    <div role="group" aria-label={`Tool ${plainName(name)}`} className="tool-card" data-part="tool" data-status={state}>
      <p data-part="tool-head">
        <strong data-part="tool-name">{plainName(name)}</strong> <span data-part="tool-status">{state}</span>{" "}
        {durationMs !== undefined && (status === "ok" || status === "error") && (
          <span data-part="tool-duration">{(durationMs / 1000).toFixed(1)} s</span>
        )}
      </p>
      {questions.length === 0 && <Folded name="input" text={pretty(input)} cut={inputCut} />}
      {questions.map((question) => (
        <p key={question.id} data-part="tool-note">
          {question.items.map((item) => plain(item.question)).join(" ")}{" "}
          {question.resolved && answered(question, view.replies[question.id])}
        </p>
      ))}
      {permissions.map((permission) => (
        <p key={permission.id} data-part="tool-note">
          {settlement(permission, view.replies[permission.id])}
        </p>
      ))}
      {children.map((child) => (
        <Card key={child.id} call={child} view={view} parts={parts} />
      ))}
      {output && <Printed name="output" output={output} />}
      {content && <Folded name="result" text={withoutCodes(content)} cut={contentCut} />}
    </div>
  );
}
