// A page with useChat in front of the PHP bridge: what the bridge's README says, put to the test in a browser.
import { useChat } from '@ai-sdk/react';
import { DefaultChatTransport } from 'ai';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

const headers = () => ({
  'Content-Type': 'application/json',
  Accept: 'application/json',
  'X-XSRF-TOKEN': decodeURIComponent(document.cookie.match(/XSRF-TOKEN=([^;]*)/)[1]),
});
const transport = new DefaultChatTransport({
  api: '/ask-by-use-chat',
  headers,
  prepareSendMessagesRequest: ({ id, messages }) => ({
    body: { conversation: id, prompt: messages.at(-1).parts.map((part) => part.text ?? '').join('') },
  }),
  prepareReconnectToStreamRequest: ({ id }) => ({
    api: `/agent/runs/${sessionStorage.getItem(`run of ${id}`)}/events?format=ai-sdk`,
  }),
});
const decide = (message, part, behavior) =>
  fetch(`/agent/runs/${message.id}/permissions/${part.approval.id}`, {
    method: 'POST',
    headers: headers(),
    body: JSON.stringify({ behavior }),
  });

const chat = (sessionStorage.chat ??= crypto.randomUUID());

function Part({ message, part }) {
  if (part.type === 'text') return <p data-testid="answer">{part.text}</p>;
  if (part.type !== 'dynamic-tool') return null;
  return (
    <section data-testid="tool" data-state={part.state}>
      <b>{part.toolName}</b> <pre>{JSON.stringify(part.input)}</pre> <pre>{part.output ?? part.errorText}</pre>
      {part.state === 'approval-requested' && (
        <>
          <button type="button" onClick={() => decide(message, part, 'allow')}>Approve</button>
          <button type="button" onClick={() => decide(message, part, 'deny')}>Deny</button>
        </>
      )}
    </section>
  );
}

function Page() {
  const [text, setText] = useState('');
  const resume = sessionStorage.getItem(`run of ${chat}`) !== null;
  const { messages, sendMessage, status, error } = useChat({ id: chat, transport, resume });
  const last = messages.at(-1);
  if (last?.role === 'assistant' && last.metadata) sessionStorage.setItem(`run of ${chat}`, last.id);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        sendMessage({ text });
      }}
    >
      {messages.map((message) => (
        <div key={message.id} data-role={message.role}>
          {message.role === 'assistant' && message.parts.map((part, at) => <Part key={at} {...{ message, part }} />)}
        </div>
      ))}
      <p data-testid="end">{JSON.stringify(last?.metadata ?? null)}</p>
      <p data-testid="status">{error ? error.message : status}</p>
      <textarea value={text} onChange={(event) => setText(event.target.value)} />
      <button>Send</button>
    </form>
  );
}

createRoot(document.getElementById('root')).render(<Page />);
