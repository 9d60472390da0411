import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// For what takes long on a busy machine.
configure({ asyncUtilTimeout: 60_000 });
afterEach(() => typeof document === "undefined" || cleanup());
