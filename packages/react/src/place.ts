/** Where a reader stands in a run: which attempt of it, and the last event there. Pure. */
export interface Place {
  attempt: number;
  /** 0 before the first event. */
  seq: number;
}

/** What the server calls an event in a stream, for `Last-Event-ID`. */
export const idOf = (run: string, { attempt, seq }: Place): string =>
  attempt > 1 ? `${run}:${attempt}-${seq}` : `${run}:${seq}`;

/** The attempt that a frame's id names; undefined for one that names none. */
export function attemptIn(id: string): number | undefined {
  const [, attempt] = /:(\d+)-\d+$/.exec(id) ?? [];
  return attempt === undefined ? undefined : Number(attempt);
}
