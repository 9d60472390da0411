import { memo, useLayoutEffect, useRef } from "react";
import type { Output } from "./answer.js";
import type { Line } from "./terminal.js";

/** What a tool prints, while it prints it. Only text and class names of our own come into the page. */
export function Printed({ output, name }: { output: Output; name: string }) {
  const { lines, leftOut, cut } = output;
  const box = useRef<HTMLPreElement>(null);
  const stuck = useRef(true);
  // The end stays in sight, unless the reader has scrolled away from it.
  useLayoutEffect(() => {
    if (box.current && stuck.current) box.current.scrollTop = box.current.scrollHeight;
  });
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    stuck.current = scrollHeight - scrollTop - clientHeight < 20;
  };
  return (
    <>
      {leftOut > 0 && <p className="note">{leftOut.toLocaleString("en")} lines before these are not shown.</p>}
      <pre ref={box} className="printed" data-part={name} role="group" aria-label={name} tabIndex={0} onScroll={onScroll}>
        {lines.map((line) => (
          <Row key={line.number} line={line} />
        ))}
      </pre>
      {cut > 0 && <p className="note">{cut.toLocaleString("en")} more bytes were printed than are shown.</p>}
    </>
  );
}

const Row = memo(({ line }: { line: Line }) => (
  <span className="line">
    {line.spans.map(({ text, style }, index) => (style ? <span key={index} className={style}>{text}</span> : text))}
    {"\n"}
  </span>
));
