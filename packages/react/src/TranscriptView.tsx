import type { AgentView } from "./agentStream.js";
import { Message as PlainMessage } from "./Message.js";
import type { Parts } from "./parts.js";
import type { AgentChat } from "./useAgentStream.js";

interface Props {
  /** What `useConversation` or `useAgentStream` returns. */
  chat: AgentChat & { past?: AgentView[] };
  parts?: Partial<Parts>;
}

/** All exchanges of a conversation; the last one can be tried again. */
export function TranscriptView({ chat, parts }: Props) {
  const Message = parts?.Message ?? PlainMessage;
  const { past = [] } = chat;
  const busy = chat.state === "connecting" || chat.state === "streaming";
  return (
    <div className="transcript" data-part="transcript" data-state={chat.state}>
      {past.map((view, index) => (
        <Message key={index} view={view} parts={parts} />
      ))}
      {chat.prompt !== undefined && (
        <Message
          key={past.length}
          view={chat}
          parts={parts}
          onRetry={() => void chat.retry()}
          retryInMs={chat.retryInMs}
          onResend={({ id, text }) => void (busy ? chat.steer(text, id) : chat.send(text))}
        />
      )}
      <Announcer view={chat} />
    </div>
  );
}

/** What a screen reader says: that an answer begins, and the whole answer at its end. Hide it from the eye by your CSS. */
function Announcer({ view: { state, text } }: { view: AgentView }) {
  const busy = state === "connecting" || state === "streaming";
  return (
    <p className="announcer" data-part="announcer" aria-live="polite" aria-atomic="true">
      {busy ? "Answering." : state === "stopped" ? "Stopped." : state === "done" ? text : ""}
    </p>
  );
}
