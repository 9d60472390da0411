// A page with AG-UI's agent in front of the PHP bridge: what the bridge's README says, put to the test in a browser.
import { HttpAgent } from '@ag-ui/client';

const headers = {
  'X-XSRF-TOKEN': decodeURIComponent(document.cookie.match(/XSRF-TOKEN=([^;]*)/)[1]),
};
const agent = new HttpAgent({ url: '/ask-by-ag-ui', headers, threadId: crypto.randomUUID() });
if (location.search) agent.url = '/agent-task';

const root = document.getElementById('root');
root.innerHTML = '<p data-testid="answer"></p><p data-testid="status">ready</p><textarea></textarea><button>Send</button>';
const [answer, status] = root.querySelectorAll('p');
root.querySelector('button').onclick = () => {
  agent.addMessage({ id: crypto.randomUUID(), role: 'user', content: root.querySelector('textarea').value });
  run({});
};

function approve(interrupt) {
  const button = document.createElement('button');
  button.textContent = 'Approve';
  button.onclick = () => {
    button.remove();
    run({ resume: [{ interruptId: interrupt.id, status: 'resolved', payload: { approved: true } }] });
  };
  root.append(button);
}

async function run(parameters) {
  status.textContent = 'running';
  const told = await agent
    .runAgent(parameters, { onTextMessageContentEvent: ({ event }) => void (answer.textContent += event.delta) })
    .then(({ newMessages }) => newMessages.map((message) => message.role).join(), (error) => error.message);
  status.textContent = told;
  agent.pendingInterrupts.forEach(approve);
}
