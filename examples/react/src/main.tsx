import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Chat } from "./Chat";
import "./styles/index.css";
import { Task } from "./Task";

for (const [id, Page] of Object.entries({ "agent-chat": Chat, "agent-task": Task })) {
  const place = document.getElementById(id);
  if (!place) continue;
  const { base = "", visitor, hint, examples } = place.dataset;
  createRoot(place).render(
    <StrictMode>
      <Page
        base={base}
        visitor={visitor}
        hint={hint}
        examples={examples ? (JSON.parse(examples) as string[]) : undefined}
      />
    </StrictMode>,
  );
}
