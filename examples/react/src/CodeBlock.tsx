import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import bash from "highlight.js/lib/languages/bash";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";
import { type ReactNode, useMemo } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { useIsCodeFenceIncomplete } from "streamdown";
import { CopyButton } from "./CopyButton";
import { WORDS } from "./words";

const KNOWN = { bash, css, diff, go, ini, javascript, json, php, python, sql, typescript, xml, yaml };
const lowlight = createLowlight(KNOWN);
lowlight.registerAlias({ bash: ["console"], ini: ["env"] });
/** Characters; longer code has no colours. */
const LONGEST = 8_000;

/** Code with its language, colours, and a button that copies it. */
export function CodeBlock({ code, language }: { code: string; language: string }) {
  const isIncomplete = useIsCodeFenceIncomplete();
  const coloured = useMemo(() => (isIncomplete ? code : colour(code, language)), [code, language, isIncomplete]);
  return (
    <figure className="code">
      <figcaption>
        <span>{language || WORDS.code}</span>
        <CopyButton text={code} what={WORDS.code} />
      </figcaption>
      <pre role="group" aria-label={language ? `${WORDS.code}, ${language}` : WORDS.code} tabIndex={0} dir="ltr">
        <code>{coloured}</code>
      </pre>
    </figure>
  );
}

/** Code in the colours of its language, where that is known. */
export function colour(code: string, language: string): ReactNode {
  if (code.length > LONGEST || !lowlight.registered(language)) return code;
  return toJsxRuntime(lowlight.highlight(language, code), { Fragment, jsx, jsxs });
}
