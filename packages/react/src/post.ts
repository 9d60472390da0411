/** What a request is for whose headers are asked for. */
export interface HeadersFor {
  /** Whether it starts a run. */
  starts: boolean;
}

/** What the page sends with every request besides, such as a token; asked for each time. Only a promise is waited for. */
export type MoreHeaders = (asked: HeadersFor) => Record<string, string> | Promise<Record<string, string>>;

/** The options of a POST of JSON that Laravel accepts: the CSRF token, and the visitor's session. */
export function posting(address: string, body: unknown, more?: Record<string, string>) {
  const headers = { "Content-Type": "application/json", ...csrf(address), ...more };
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
