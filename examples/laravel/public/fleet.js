// Keeps the page as the fleet is, as long as somebody looks. Without this script it is reloaded by hand.
const EVERY_MS = 2000;
const live = document.getElementById("live");
const stale = document.getElementById("stale");
let shown = live.innerHTML;
let refreshing;
let isLeaving = false;

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  // What cannot be undone is asked for twice.
  if (question && !confirm(question)) return event.preventDefault();
  isLeaving = true;
  if (!refreshing) return;
  // A look that ends after what was done would take the word of it out of the visitor's session.
  event.preventDefault();
  const patience = new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  Promise.race([refreshing, patience]).then(() => event.target.submit());
});
addEventListener("pageshow", () => (isLeaving = false));

async function refresh() {
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html", "X-Refresh": "1" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("live");
    stale.hidden = fresh !== null;
    if (fresh !== null && !isLeaving && getSelection().isCollapsed) replace(fresh); // a form that is gone sends nothing
  } catch {
    stale.hidden = false;
  }
}

function replace(fresh) {
  if (shown === fresh.innerHTML) return;
  shown = fresh.innerHTML;
  const open = [...live.querySelectorAll("details[open][id]")].map(({ id }) => id);
  const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
  live.innerHTML = shown;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

for (;;) {
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  if (document.hidden || isLeaving) continue;
  refreshing = refresh();
  await refreshing;
  refreshing = undefined;
}
