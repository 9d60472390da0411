/** The routes that start a run, follow it, stop it and take the answers to its questions. */
export interface Addresses {
  start: string;
  events(run: string): string;
  abort(run: string): string;
  permission(run: string, permission: string): string;
}

const escape = encodeURIComponent;

export const chatAt = (base: string): Addresses => ({
  start: `${base}/chat`,
  events: (run) => `${base}/runs/${escape(run)}/events`,
  abort: (run) => `${base}/runs/${escape(run)}/abort`,
  permission: (run, permission) => `${base}/runs/${escape(run)}/permissions/${escape(permission)}`,
});

export const taskAt = (base: string): Addresses => ({
  start: base,
  events: (run) => `${base}/${escape(run)}/events`,
  abort: (run) => `${base}/${escape(run)}/abort`,
  permission: (run, permission) => `${base}/${escape(run)}/permissions/${escape(permission)}`,
});
