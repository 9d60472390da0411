import { answered, plain, plainName, Said, settlement, type ToolCall } from "@agent-workers/react";
import { Fragment, memo } from "react";
import { type ExchangeProps, Frame } from "./Exchange";
import { ToolCard } from "./ToolCard";

/** A task and its answer: texts and tool calls in their order, the calls of a subagent below the call that started it. */
export const Work = memo(function Work(props: ExchangeProps) {
  const { view, onRetry } = props;
  const { parts, toolCalls, permissions, questions, subtasks } = view;
  const known = new Set<string>();
  const nested = new Set<ToolCall>();
  for (const call of toolCalls) {
    // A parent's event comes before its children's; a call without a parent is at the top.
    if (call.parentId !== undefined && known.has(call.parentId)) nested.add(call);
    known.add(call.id);
  }
  return (
    <Frame {...props} steers={view.steers.filter(({ called }) => !called)}>
      {parts.map((part, index) => {
        if (typeof part !== "string") {
          const number = toolCalls.indexOf(part) + 1;
          return (
            <Fragment key={index}>
              {!nested.has(part) && <ToolCard call={part} view={view} onRetry={onRetry} />}
              <Said steers={view.steers.filter(({ called }) => called === number)} />
            </Fragment>
          );
        }
        return (
          <div key={index} className="answer" data-testid="answer">
            <p>{part}</p>
          </div>
        );
      })}
      {permissions
        .filter((permission) => permission.resolved && !known.has(permission.toolUseId))
        .map((permission) => (
          <p key={permission.id} className="note">
            {plainName(permission.name)}: {settlement(permission, view.replies[permission.id])}
          </p>
        ))}
      {questions
        .filter((question) => question.resolved && !known.has(question.toolUseId))
        .map((question) => (
          <p key={question.id} className="note">
            {question.items.map(({ question }) => plain(question)).join(" ")} {answered(question, view.replies[question.id])}
          </p>
        ))}
      {subtasks
        .filter(({ toolUseId }) => toolUseId === undefined || !known.has(toolUseId))
        .map((subtask) => (
          <p key={subtask.id} className="note">
            {subtask.description} ({subtask.status})
          </p>
        ))}
    </Frame>
  );
});
