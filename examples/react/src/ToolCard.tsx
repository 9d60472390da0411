import type { AgentView } from "./agentStream";
import { Folded } from "./Folded";
import type { ToolCall } from "./transcript";
import { isAppTool, plainName, pretty, settlement } from "./words";

interface Props {
  call: ToolCall;
  view: AgentView;
}

/** A tool call with all that is known of it, and below it the calls of the subagent that it started. */
export function ToolCard({ call, view }: Props) {
  const { id, name, input, status, content } = call;
  const busy = view.state === "connecting" || view.state === "streaming";
  const questions = view.questions.filter((question) => question.toolUseId === id);
  const waits = questions.some(({ resolved }) => !resolved);
  const shown = status !== "running" ? status : !busy ? "unfinished" : waits ? "waiting" : "running";
  const ran = status === "ok" || status === "error";
  const children = view.toolCalls.slice(view.toolCalls.indexOf(call) + 1).filter((other) => other.parentId === id);
  return (
    <div className={`card ${status}`} role="group" aria-label={`Tool ${plainName(name)}`} data-testid="tool">
      <p className="head">
        <strong>{plainName(name)}</strong>
        {isAppTool(name) && <span className="badge">application</span>}
        <span className={`status ${status}`} data-testid="tool-status">
          {shown}
        </span>
        {ran && call.durationMs !== undefined && <span>{(call.durationMs / 1000).toFixed(1)} s</span>}
      </p>
      <Folded name="input" text={pretty(input)} cut={call.inputCut} />
      {questions.map((question) => (
        <p key={question.id} className="note">
          {busy && !question.resolved ? "Waits for your answer." : settlement(question, view.replies[question.id])}
        </p>
      ))}
      {view.subtasks
        .filter((subtask) => subtask.toolUseId === id)
        .map((subtask) => (
          <p key={subtask.id} className="note">
            {subtask.description} ({subtask.status})
          </p>
        ))}
      {children.length > 0 && (
        <div className="cards" role="group" aria-label={`Calls of the subagent of ${plainName(name)}`}>
          {children.map((child) => (
            <ToolCard key={child.id} call={child} view={view} />
          ))}
        </div>
      )}
      {content && <Folded name="result" text={content} cut={call.contentCut} />}
      {status === "ok" && !content && <p className="note">No output.</p>}
    </div>
  );
}
