const TICKS = 9;

/**
 * Calls `onSilence` after about `ms` without a sign of life.
 *
 * Counts ticks instead of reading the clock: after a frozen tab or a laptop's sleep, bytes that arrived in the
 * meantime are read first.
 */
export class Silence {
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #tickMs: number;
  #ticks = 0;

  constructor(ms: number, onSilence: () => void) {
    this.#tickMs = ms / TICKS;
    this.#timer = setInterval(() => {
      this.#ticks += 1;
      if (this.#ticks >= TICKS) onSilence();
    }, this.#tickMs);
  }

  /** Begins to count only after so many more milliseconds, or after the next sign of life. */
  allow(ms: number): void {
    this.#ticks = -Math.ceil((ms || 0) / this.#tickMs);
  }

  heard(): void {
    this.#ticks = 0;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener("abort", finish);
    if (signal.aborted) finish();
  });
}
