/** Node's own EventSource, for the tests that resume through it, as long as it hides behind a flag. */
const flag = "--experimental-eventsource";
export const withEventSource = process.allowedNodeEnvironmentFlags.has(flag) ? [flag, "--disable-warning=UNDICI-ES"] : [];
