/** What the page sends with every request besides, such as a token; asked for each time. */
export type MoreHeaders = () => Record<string, string>;

/** The options of a POST of JSON that Laravel accepts: the page's CSRF token, and the visitor's session. */
export function posting(body: unknown, more?: MoreHeaders) {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  const headers = { "Content-Type": "application/json", ...(token && { "X-CSRF-TOKEN": token }), ...more?.() };
  return { method: "POST", headers, body: JSON.stringify(body) };
}
