import { onTestFinished, vi } from "vitest";

const real = Date.now;
let aheadMs = 0;

/** Sets the clock forward until the test ends: what comes before a time is seen in peace, however busy the machine is. */
export function forward(ms: number): void {
  if (aheadMs === 0) {
    const clock = vi.spyOn(Date, "now").mockImplementation(() => real() + aheadMs);
    onTestFinished(() => {
      clock.mockRestore();
      aheadMs = 0;
    });
  }
  aheadMs += ms;
}
