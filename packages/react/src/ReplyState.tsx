import type { Reply } from "./replies.js";

/** Whether an answer has arrived, beside the buttons that send it. */
export function ReplyState({ reply }: { reply?: Reply }) {
  return (
    <span role="status">
      {reply?.state === "sending" && "Sending your answer …"}
      {reply?.state === "sent" && "Your answer has arrived."}
    </span>
  );
}

/** Why an answer was not taken, below them. */
export function ReplyFailure({ reply }: { reply?: Reply }) {
  if (reply?.state !== "failed") return null;
  return (
    <p role="alert">
      Your answer was not taken: {reply.failure?.message} <small>({reply.failure?.code})</small>
    </p>
  );
}
