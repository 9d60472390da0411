import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Chat } from "./Chat";
import "./chat.css";

const place = document.getElementById("agent-chat");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <Chat base={place.dataset.base ?? ""} />
    </StrictMode>,
  );
}
