/** Runs of agents over HTTP, free of React: `@agent-workers/react/stream`. */

export { type Addresses, addressesAt, chatAt, taskAt } from "./addresses.js";
export { type AgentState, AgentStream, type AgentStreamOptions, type AgentView, isByPerson, type SendOptions } from "./agentStream.js";
export type { Answer, Fate, Notice, Output, Permission, Question, Subtask, ToolCall } from "./answer.js";
export { ATTACHABLE, type Attachment, type AttachmentLimits, choose, isImage, type RefusedFile } from "./attachments.js";
export { type Choice, isMade, NONE, toAnswer } from "./choice.js";
export { bearerFrom } from "./bearer.js";
export { type ChatRequest, Connection, type Listener, type Timing, TIMING } from "./connection.js";
export { newConversation } from "./conversation.js";
export { Conversations, type ConversationsOptions, type ListedConversation, type ListView } from "./conversations.js";
export {
  type AgentEvent, type Envelope, type ErrorCode, EVENT_TYPES, type EventType, isKnown, isTerminal, type Json,
  type NamedCall, type Problem, type QuestionItem, readEvent, type StopReason, type Usage,
} from "./events.js"; // prettier-ignore
export { Conversation } from "./exchanges.js";
export { type Failure, RunFailed } from "./failure.js";
export type { HeadersFor, MoreHeaders } from "./post.js";
export type { Answers, Behavior, Reply } from "./replies.js";
export { NotRecorded, Recorded, type RecordedMessage, type RecordedRun, viewOf } from "./recorded.js";
export type { Entry } from "./shelf.js";
export { type Frame, FrameTooLong, SseParser } from "./sse.js";
export type { Steer } from "./steering.js";
export { type Line, type Screen, type Span, type Stream, Terminal, textOf, withoutCodes } from "./terminal.js";
export { TOOL_WORKER, Transcript } from "./transcript.js";
export { answered, callState, clock, isAppTool, isNested, plain, plainName, pretty, settlement } from "./words.js";
