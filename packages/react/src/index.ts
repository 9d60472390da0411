/** Hooks and unstyled parts for React, and all of `@agent-workers/react/stream`. */

export { AttachButton, Attaching, AttachmentList } from "./Attaching.js";
export { Choices } from "./Choices.js";
export { Composer } from "./Composer.js";
export { Folded } from "./Folded.js";
export { Message } from "./Message.js";
export type { MessageProps, Parts, ToolCardProps } from "./parts.js";
export { PermissionForm } from "./PermissionForm.js";
export { Printed } from "./Printed.js";
export { QuestionForm } from "./QuestionForm.js";
export { ReplyFailure, ReplyState } from "./ReplyState.js";
export { Said } from "./Said.js";
export * from "./stream.js";
export { ToolCard } from "./ToolCard.js";
export { TranscriptView } from "./TranscriptView.js";
export { type OpenPermission, type OpenQuestion, usePermissions, useQuestions } from "./useAsked.js";
export { type AgentChat, useAgentStream } from "./useAgentStream.js";
export { type Attachments, useAttachments } from "./useAttachments.js";
export { type AgentConversation, useConversation } from "./useConversation.js";
export { type AgentConversations, useConversations } from "./useConversations.js";
export { useCountdown } from "./useCountdown.js";
export { useStickToBottom } from "./useStickToBottom.js";
