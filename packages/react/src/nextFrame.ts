const HIDDEN_TAB_MS = 250;

/** Runs `render` before the next repaint, or in a quarter of a second: hidden tabs don't repaint. Returns its cancellation. */
export function nextFrame(render: () => void): () => void {
  const run = () => {
    cancel();
    render();
  };
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, HIDDEN_TAB_MS);
  const cancel = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  return cancel;
}
