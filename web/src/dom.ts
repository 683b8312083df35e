// Building elements without markup strings: nothing a server or a quote says can become HTML.

type Child = Node | string | number | null | undefined | false | Child[];
type Props = Record<string, unknown>;

const svgNS = "http://www.w3.org/2000/svg";

/** h makes an HTML element: "on…" props are listeners, the rest attributes (false, null and undefined leave out). */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props?: Props | null, ...children: Child[]): HTMLElementTagNameMap[K];
export function h(tag: string, props?: Props | null, ...children: Child[]): HTMLElement;
export function h(tag: string, props?: Props | null, ...children: Child[]): HTMLElement {
  const node = document.createElement(tag);
  assign(node, props);
  append(node, children);
  return node;
}

/** s makes an SVG element. */
export function s(tag: string, props?: Props | null, ...children: Child[]): SVGElement {
  const node = document.createElementNS(svgNS, tag);
  assign(node, props);
  append(node, children);
  return node;
}

function assign(node: Element, props?: Props | null): void {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value as EventListener);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
}

function append(node: ParentNode, children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(node, child);
    else node.append(child instanceof Node ? child : String(child));
  }
}

/** renew gives a node these children and leaves alone those that are as they were (found by data-key or data-index, else by
    place): what the reader has focused or is about to click stays, and a screen reader hears only what is new. */
export function renew(parent: Element, ...fresh: Child[]): void {
  const old = new Map([...parent.childNodes].map((node, i) => [keyOf(node, i), node]));
  const holder = document.createDocumentFragment();
  append(holder, fresh);
  const wanted = [...holder.childNodes].map((node, i) => {
    const there = old.get(keyOf(node, i));
    return there?.isEqualNode(node) ? there : node;
  });
  for (const node of old.values()) if (!wanted.includes(node)) node.remove();
  wanted.forEach((node, i) => { if (parent.childNodes[i] !== node) parent.insertBefore(node, parent.childNodes[i] ?? null); });
}

function keyOf(node: ChildNode, at: number): string {
  const data = node instanceof HTMLElement ? node.dataset : {};
  return data["key"] ?? data["index"] ?? `#${at}`;
}

export function $<T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`page has no ${selector}`);
  return found;
}

/** save hands bytes or text to the reader as a file. */
export function save(name: string, body: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([body], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
