/** The options of a POST of JSON that Laravel accepts: the page's CSRF token, and the visitor's session. */
export function posting(body: unknown) {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  const headers = { "Content-Type": "application/json", ...(token && { "X-CSRF-TOKEN": token }) };
  return { method: "POST", headers, body: JSON.stringify(body) };
}
