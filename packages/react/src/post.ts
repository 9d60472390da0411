/** What the page sends with every request besides, such as a token; asked for each time. */
export type MoreHeaders = () => Record<string, string>;

/** The options of a POST of JSON that Laravel accepts: the CSRF token, and the visitor's session. */
export function posting(address: string, body: unknown, more?: MoreHeaders) {
  const headers = { "Content-Type": "application/json", ...csrf(address), ...more?.() };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

/** The page's token; without one that of Laravel's cookie, which is for the page's own origin alone. */
function csrf(address: string): Record<string, string> {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  if (token) return { "X-CSRF-TOKEN": token };
  const cookie = /(?:^|; )XSRF-TOKEN=([^;]+)/.exec(document.cookie)?.[1];
  const isOwn = new URL(address, document.baseURI).origin === location.origin;
  return cookie && isOwn ? { "X-XSRF-TOKEN": decodeURIComponent(cookie) } : {};
}
