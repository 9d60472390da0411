import { addressesAt, type AttachmentLimits, bearerFrom } from "@agent-workers/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Chat } from "./Chat";
import "./styles/index.css";
import { Task } from "./Task";

/** `stream.attachments` of the application's configuration, as JSON; undefined where no files are taken. */
function limitsOf(json = "null"): AttachmentLimits | undefined {
  const limits = JSON.parse(json) as { max?: number; max_kb?: number } | null;
  return limits?.max ? { max: limits.max, maxKb: limits.max_kb ?? 4096 } : undefined;
}

/** Where the gateway is, if the application's configuration names one: the page needs nothing else for it. */
function overGateway(url?: string) {
  const runs = `${url}/v1/runs`;
  return url ? { addresses: () => addressesAt(runs, runs), headers: bearerFrom("/agent/token") } : {};
}

for (const [id, Page] of Object.entries({ "agent-chat": Chat, "agent-task": Task })) {
  const place = document.getElementById(id);
  if (!place) continue;
  const { base = "", recorded, visitor, hint, examples, attachments, gateway } = place.dataset;
  createRoot(place).render(
    <StrictMode>
      <Page
        base={base}
        recorded={recorded}
        {...overGateway(gateway)}
        visitor={visitor}
        hint={hint}
        examples={examples ? (JSON.parse(examples) as string[]) : undefined}
        attachments={limitsOf(attachments)}
      />
    </StrictMode>,
  );
}
