import { memo, useEffect, useMemo, useState } from "react";
import { type Components, defaultRehypePlugins, Streamdown } from "streamdown";
import { CodeBlock } from "./CodeBlock";
import { OrPlain } from "./OrPlain";
import { type Piece, pieces } from "@agent-workers/react/pieces";
import { WORDS } from "./words";

interface Props {
  text: string;
  /** Whether more of it is to come: what is not closed yet is shown as if it were. */
  isLive?: boolean;
}

/** Pieces that are put into the page between two frames. */
const AT_ONCE = 1;

/** The model's words. HTML in them is shown as text, and nothing is loaded from elsewhere. */
export function Markdown({ text, isLive = false }: Props) {
  const all = useMemo(() => pieces(text), [text]);
  const shown = useGrowing(all.length);
  return (
    <div className="answer" data-testid="answer">
      {all.slice(0, shown).map((piece, index) => (
        <Shown key={index} piece={piece} isLive={isLive && index === all.length - 1} />
      ))}
    </div>
  );
}

/** So many that the page stays alive while more come. */
function useGrowing(count: number): number {
  const [shown, setShown] = useState(AT_ONCE);
  useEffect(() => {
    if (shown >= count) return;
    const timer = setTimeout(() => setShown(shown + AT_ONCE), 16);
    return () => clearTimeout(timer);
  }, [shown, count]);
  return shown;
}

const Shown = memo(
  ({ piece: { text, isMarkdown }, isLive }: { piece: Piece; isLive: boolean }) => {
    const unformatted = (
      <p className="unformatted" dir="auto">
        {text}
      </p>
    );
    if (!isMarkdown) return unformatted;
    // A few thousand ">" nest deeper than what reads Markdown can follow.
    return (
      <OrPlain plain={unformatted}>
        <Streamdown
          className="markdown"
          dir="auto"
          components={COMPONENTS}
          rehypePlugins={REHYPE}
          controls={false}
          parseIncompleteMarkdown={isLive}
        >
          {text}
        </Streamdown>
      </OrPlain>
    );
  },
  (before, after) =>
    before.piece.text === after.piece.text &&
    before.piece.isMarkdown === after.piece.isMarkdown &&
    before.isLive === after.isLive,
);

/** Without `raw`, which would take HTML for what it says. */
const REHYPE = [defaultRehypePlugins.sanitize!, defaultRehypePlugins.harden!];

const COMPONENTS: Components = {
  // The page has an h1, and each answer stands below a heading of its own.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h4>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
  h6: ({ children }) => <h6>{children}</h6>,
  pre: ({ node }) => {
    const code = node?.children[0];
    if (code?.type !== "element") return null;
    return <CodeBlock code={textOf(code)} language={languageOf(code.properties.className)} />;
  },
  table: ({ children }) => (
    <div className="table" role="group" aria-label={WORDS.table} tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  a: ({ href, children }) => (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  strong: ({ children }) => <strong>{children}</strong>,
  // An image's address may carry away what the model has read.
  img: ({ src, alt }) => (
    <a href={typeof src === "string" ? src : undefined} target="_blank" rel="noopener noreferrer nofollow">
      {alt || WORDS.image}
    </a>
  ),
  input: ({ checked }) => (
    <span role="img" aria-label={checked ? WORDS.checked : WORDS.unchecked}>
      {checked ? "☑" : "☐"}
    </span>
  ),
};

type Node = { type: string; value?: string; children?: Node[] };

const textOf = (node: Node): string => node.value ?? (node.children ?? []).map(textOf).join("");

const languageOf = (names: unknown): string =>
  [names].flat().map(String).find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "";
