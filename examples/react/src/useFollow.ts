import { useEffect, useLayoutEffect, useRef, useState } from "react";

/** Within so many pixels of its end, a reader is at the end. */
const NEAR = 48;

/** Keeps the end of what grows in sight, unless the reader has scrolled away from it. */
export function useFollow(prompt: string | undefined) {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const isStuck = useRef(true);
  const size = useRef("");
  const [isAway, setAway] = useState(false);

  const follow = () => {
    if (box.current && isStuck.current) box.current.scrollTop = box.current.scrollHeight;
  };
  const toEnd = () => {
    isStuck.current = true;
    setAway(false);
    follow();
  };
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight, clientWidth } = box.current!;
    // A box of another size has moved by itself: the phone was turned, or a question came below it.
    const room = `${clientWidth} ${clientHeight}`;
    if (room !== size.current) {
      size.current = room;
      if (isStuck.current) return follow();
    }
    isStuck.current = scrollHeight - scrollTop - clientHeight < NEAR;
    setAway(!isStuck.current);
  };
  // Whoever sends something wants to see what comes of it.
  useLayoutEffect(toEnd, [prompt]);
  useLayoutEffect(follow);
  // Texts are put in piece by piece, and cards open, without a render of the page.
  useEffect(() => {
    if (typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(follow);
    for (const each of [box.current, content.current]) if (each) observer.observe(each);
    return () => observer.disconnect();
  }, []);
  return { box, content, isAway, toEnd, onScroll };
}
