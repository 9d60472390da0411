import { useEffect, useReducer } from "react";

/** Milliseconds until a time (ms since the epoch), in steps of a second; 0 after it. */
export function useCountdown(until = 0): number {
  const [, tick] = useReducer((ticks: number) => ticks + 1, 0);
  const left = Math.max(0, until - Date.now());
  useEffect(() => {
    if (left === 0) return;
    const timer = setTimeout(tick, Math.min(left, 1000));
    return () => clearTimeout(timer);
  });
  return left;
}
