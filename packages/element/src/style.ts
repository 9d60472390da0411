/**
 * All that is set by a page is a custom property or a `::part`; dark and light follow the page's `color-scheme`. What is written on
 * an accent is white or black, whichever can be read on it, because a page that sets the one often forgets the other.
 */
const STYLE = `
:host {
  --ink: var(--agent-chat-ink, light-dark(#1c1c22, #ececf1));
  --faint: var(--agent-chat-faint, light-dark(#5b5b66, #a3a3af));
  --line: var(--agent-chat-line, light-dark(#d4d4dc, #44444e));
  --page: var(--agent-chat-background, light-dark(#fff, #17171b));
  --raised: var(--agent-chat-raised, light-dark(#f4f4f7, #222228));
  --accent: var(--agent-chat-accent, light-dark(#2b5fd9, #8fb0ff));
  --on-accent: var(--agent-chat-on-accent, light-dark(#fff, #10131c));
  --bad: var(--agent-chat-bad, light-dark(#b3261e, #ff9d94));
  --round: var(--agent-chat-radius, 0.5rem);
  --side: max(1rem, (100% - var(--agent-chat-width, 48rem)) / 2);
  display: flex; flex-direction: column; min-height: 0; color: var(--ink); background: var(--page);
  font: var(--agent-chat-font, 1rem/1.55 system-ui, sans-serif);
}
@supports (color: lch(from red l c h)) {
  :host { --on-accent: var(--agent-chat-on-accent, lch(from var(--accent) calc((49.44 - l) * infinity) 0 0)); }
}
[part=chat] { display: flex; flex: 1; flex-direction: column; min-height: 0; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
p, pre, h2, ul, fieldset { margin: 0; padding: 0; }
[part=messages] { flex: 1; min-height: 0; overflow: auto; padding: 1rem var(--side); }
[part=exchange] { display: grid; gap: 0.5rem; margin-bottom: 1.25rem; }
[part=exchange] > div:empty { display: none; }
[part=prompt] { width: fit-content; max-width: 100%; margin-left: auto; padding: 0.4rem 0.75rem; border-radius: var(--round);
  background: var(--raised); white-space: pre-wrap; overflow-wrap: anywhere; }
[part=answer] { display: grid; gap: 0.5rem; }
[part=answer]:empty { display: none; }
[part=text] { overflow-wrap: anywhere; }
.raw, [part=thinking] p { white-space: pre-wrap; overflow-wrap: anywhere; }
[part=thinking], [part=note], [part=status], [part=countdown], [part=tool-time], small { color: var(--faint); font-size: 0.875em; }
[part=tool] { padding: 0.3rem 0.75rem; border: 1px solid var(--line); border-radius: var(--round); }
[part=subagent]:not(:empty) { display: grid; gap: 0.3rem; margin-top: 0.3rem; }
[part=tool-state] { color: var(--faint); }
[data-status=error] > details [part=tool-state], [data-status=denied] > details [part=tool-state], [part=error] { color: var(--bad); }
pre { max-height: 16rem; margin: 0.4rem 0; padding: 0.5rem; overflow: auto; border-radius: var(--round); background: var(--raised);
  font: 0.8125em/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
[part=said] { list-style: none; }
[part=text] > div:not(.raw) { display: grid; gap: 0.6rem; min-width: 0; }
[part=text] > div:not(:last-child) { margin-bottom: 0.6rem; }
h3, h4, h5, h6, ol, blockquote { margin: 0; padding: 0; font-size: 1em; }
h3 { font-size: 1.2em; }
h4 { font-size: 1.1em; }
[part=text] :is(ul, ol) { padding-inline-start: 1.6em; }
.task { list-style: none; }
blockquote { padding-inline-start: 0.75rem; border-inline-start: 3px solid var(--line); color: var(--faint); }
hr { width: 100%; margin: 0; border: 0; border-top: 1px solid var(--line); }
a { color: var(--accent); }
code { font-family: ui-monospace, monospace; font-size: 0.9em; }
[part=code] { position: relative; min-width: 0; }
[part=code] pre { max-height: 30rem; margin: 0; padding-inline-end: 5.5rem; white-space: pre; overflow-wrap: normal; }
[part=code] code { font: inherit; }
[part~=copy] { position: absolute; inset: 0.3rem 0.3rem auto auto; padding: 0.1rem 0.5rem; font-size: 0.8125em; }
[part=table] { min-width: 0; overflow-x: auto; overflow-wrap: normal; }
table { border-collapse: collapse; }
th, td { padding: 0.25rem 0.6rem; border: 1px solid var(--line); text-align: start; vertical-align: top; }
[data-align=center] { text-align: center; }
[data-align=right] { text-align: end; }
summary { cursor: pointer; }
[part=asked] { display: grid; gap: 0.75rem; max-height: 60%; padding: 0.75rem var(--side); overflow: auto; border-top: 1px solid var(--line); }
[part=permission], [part=question] { display: grid; gap: 0.5rem; padding: 0.75rem; border: 1px solid var(--accent); border-radius: var(--round); }
h2 { font-size: 1em; }
fieldset { display: grid; gap: 0.25rem; border: 0; }
legend { padding: 0; font-weight: 600; }
[part=composer] { display: flex; gap: 0.5rem; align-items: end; padding: 0.75rem var(--side); border-top: 1px solid var(--line); }
textarea, [part=input] { flex: 1; min-width: 0; padding: 0.5rem; border: 1px solid var(--line); border-radius: var(--round); color: inherit; background: var(--page); font: inherit; }
textarea { resize: vertical; }
[part~=button] { padding: 0.5rem 0.9rem; border: 1px solid var(--line); border-radius: var(--round); color: inherit; background: var(--raised); font: inherit; cursor: pointer; }
[part~=send], [part~=approve], [part~=reply] { border-color: var(--accent); color: var(--on-accent); background: var(--accent); }
button:disabled, button[aria-disabled] { opacity: 0.55; cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
[part=footer] { display: flex; gap: 0.5rem; align-items: center; min-height: 2.25rem; padding: 0 var(--side) 0.5rem; }
[part~=new] { margin-inline-start: auto; padding: 0.2rem 0.6rem; font-size: 0.875em; }
[part=announcer] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

/** As a sheet of its own, which a page may have whatever its Content-Security-Policy says of styles in it. */
export function styles(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  return sheet;
}
