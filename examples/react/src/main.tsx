import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Chat } from "./Chat";
import "./chat.css";
import { Task } from "./Task";

for (const [id, Page] of Object.entries({ "agent-chat": Chat, "agent-task": Task })) {
  const place = document.getElementById(id);
  if (!place) continue;
  createRoot(place).render(
    <StrictMode>
      <Page base={place.dataset.base ?? ""} hint={place.dataset.hint} />
    </StrictMode>,
  );
}
