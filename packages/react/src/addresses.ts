/** The routes that start a run, follow it, stop it, and take what people say to it. */
export interface Addresses {
  start: string;
  events(run: string): string;
  abort(run: string): string;
  permission(run: string, permission: string): string;
  answer(run: string, question: string): string;
  steer(run: string): string;
}

const escape = encodeURIComponent;

const runsAt = (base: string) => ({
  events: (run: string) => `${base}/${escape(run)}/events`,
  abort: (run: string) => `${base}/${escape(run)}/abort`,
  permission: (run: string, permission: string) => `${base}/${escape(run)}/permissions/${escape(permission)}`,
  answer: (run: string, question: string) => `${base}/${escape(run)}/answers/${escape(question)}`,
  steer: (run: string) => `${base}/${escape(run)}/steer`,
});

/** A route of one's own that starts runs, and the routes below `runs` for what it started. */
export const addressesAt = (start: string, runs: string): Addresses => ({ start, ...runsAt(runs) });

export const chatAt = (base: string): Addresses => addressesAt(`${base}/chat`, `${base}/runs`);

export const taskAt = (base: string): Addresses => addressesAt(base, base);
