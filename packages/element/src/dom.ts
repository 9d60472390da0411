/** What is shown of an item: made once, and changed in place, so that focus, selection and what is typed stay. */
export interface Shown<T> {
  node: HTMLElement;
  show(item: T): void;
}

type Listener = (event: Event) => void;
type Attributes = Record<string, string | boolean | undefined | Listener>;

/** An element with attributes, listeners (where the value is a function) and children. Text never becomes markup. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else set(node, name, value);
  }
  node.append(...children);
  return node;
}

/** Sets an attribute, or removes it; nothing happens where it is so already. */
export function set(node: Element, name: string, value: string | boolean | undefined): void {
  const text = value === true ? "" : value;
  if (text === undefined || text === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Sets a text; what is only added leaves a selection alone. */
export function write(node: Element, text: string): void {
  const before = node.textContent ?? "";
  if (text === before) return;
  if (before && text.startsWith(before) && node.lastChild instanceof Text) node.lastChild.appendData(text.slice(before.length));
  else node.textContent = text;
}

/** Shows or hides an element, with this text. */
export function tell(node: HTMLElement, text: string | undefined | false): void {
  node.hidden = !text;
  write(node, text || "");
}

const known = new WeakMap<Element, Map<string, Shown<never>>>();

/** Brings the children of a place in line with a list: one for each key. */
export function list<T>(
  place: Element,
  items: T[],
  keyOf: (item: T, index: number) => string,
  make: (item: T) => Shown<T>,
): void {
  const before = (known.get(place) ?? new Map()) as Map<string, Shown<T>>;
  const after = new Map<string, Shown<T>>();
  items.forEach((item, index) => {
    const key = keyOf(item, index);
    after.set(key, before.get(key) ?? make(item));
  });
  for (const [key, { node }] of before) if (!after.has(key)) node.remove();
  let at = place.firstElementChild;
  [...after.values()].forEach(({ node, show }, index) => {
    if (node === at) at = at.nextElementSibling;
    else place.insertBefore(node, at);
    show(items[index]!);
  });
  known.set(place, after as Map<string, Shown<never>>);
}
