import { memo } from "react";
import { type ExchangeProps, Frame } from "./Exchange";
import { ToolCard } from "./ToolCard";
import type { ToolCall } from "./transcript";
import { plainName, settlement } from "./words";

/** A task and its answer: texts and tool calls in their order, the calls of a subagent below the call that started it. */
export const Work = memo(function Work(props: ExchangeProps) {
  const { view } = props;
  const { parts, toolCalls, questions, subtasks } = view;
  const known = new Set<string>();
  const nested = new Set<ToolCall>();
  for (const call of toolCalls) {
    // A parent's event comes before its children's; a call without a parent is at the top.
    if (call.parentId !== undefined && known.has(call.parentId)) nested.add(call);
    known.add(call.id);
  }
  return (
    <Frame {...props}>
      {parts.map((part, index) => {
        if (typeof part !== "string") return nested.has(part) ? null : <ToolCard key={index} call={part} view={view} />;
        return (
          <div key={index} className="answer" data-testid="answer">
            <p>{part}</p>
          </div>
        );
      })}
      {questions
        .filter((question) => question.resolved && !known.has(question.toolUseId))
        .map((question) => (
          <p key={question.id} className="note">
            {plainName(question.name)}: {settlement(question, view.replies[question.id])}
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
