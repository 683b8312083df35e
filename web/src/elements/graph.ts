// <tp-graph>: why the agent did something: entries as boxes, each after what led to it: to the right where there is room, else below.
import { define, Element } from "../element";
import { h, s } from "../dom";
import { iconOf, summary, type Entry } from "../entry";
import { icon } from "../icons";
import { date, known, t } from "../i18n";
import { copyable } from "./copy";

const widest = 196, narrowest = 150, high = 92, gap = 36, side = 18;

interface Place { x: number; y: number }

export class Graph extends Element {
  private entries: Entry[] = [];
  private chosen = -1;
  private across = 0;
  private resized = new ResizeObserver(() => { if (this.entries.length && this.clientWidth !== this.across) this.draw(); });

  /** href makes the address of an entry with its proof; "" where there is none. */
  href: (index: number) => string = () => "";
  /** onpick is told when the reader chooses another box. */
  onpick: (index: number) => void = () => undefined;

  connectedCallback(): void { super.connectedCallback(); this.resized.observe(this); }

  disconnectedCallback(): void { super.disconnectedCallback(); this.resized.disconnect(); }

  show(entries: Entry[], chosen: number): void { this.entries = entries; this.chosen = chosen; this.draw(); }

  draw(): void {
    this.across = this.clientWidth;
    const picked = this.contains(document.activeElement) ? document.activeElement?.closest<HTMLElement>(".box")?.dataset.index : undefined;
    const chosen = this.entries.find((e) => e.index === this.chosen);
    const inside = this.entries.length ? [this.picture(), chosen ? whole(chosen, this.href(chosen.index)) : null] : h("p", { class: "soft" }, t("graph.none"));
    this.replaceChildren(h("section", { class: "card" }, h("h2", null, t("graph.title")), h("p", { class: "soft small" }, t("graph.intro")), inside));
    if (picked) this.querySelector<HTMLElement>(`.box[data-index="${picked}"] button`)?.focus({ preventScroll: true });
  }

  private picture(): HTMLElement {
    const across = (this.across || 1000) - 50;
    const { place, wide } = layout(this.entries, across);
    const width = Math.max(...[...place.values()].map((p) => p.x)) + wide + 6;
    const height = Math.max(...[...place.values()].map((p) => p.y)) + high + 6;
    const arrows = this.entries.flatMap((e) => e.cause.filter((c) => place.has(c)).map((c) => arrow(place.get(c)!, place.get(e.index)!, wide)));
    const board = h("ol", { class: "board" }, this.entries.map((e) => this.box(e, place.get(e.index)!, wide)));
    board.style.width = `${width}px`; board.style.height = `${height}px`;
    const lines = s("svg", { width, height, "aria-hidden": "true" }, arrows);
    return h("div", { class: "scroll graph", tabindex: 0, role: "region", "aria-label": t("graph.title") }, h("div", { class: "canvas" }, lines, board));
  }

  private box(e: Entry, at: Place, wide: number): HTMLElement {
    const led = e.cause.filter((c) => this.entries.some((x) => x.index === c)).map((c) => `#${c}`).join(", ");
    const node = h("li", { class: `box ${e.index === this.chosen ? "chosen" : ""}`, "data-o": e.outcome, "data-index": e.index },
      h("div", { class: "row small" }, icon(iconOf(e.type), 16), h("button", { type: "button", class: "pick", "aria-pressed": String(e.index === this.chosen), onclick: () => this.onpick(e.index) }, h("strong", null, known("type", e.type)), " ", h("code", { class: "soft" }, `#${e.index}`)), icon(e.outcome, 16)),
      h("p", null, summary(e).slice(0, 120) || h("em", { class: "soft" }, t(e.content_state === "erased" ? "log.erased" : "log.withheld"))),
      led ? h("span", { class: "sr" }, t("graph.leads", led)) : null);
    node.style.width = `${wide}px`; node.style.left = `${at.x}px`; node.style.top = `${at.y}px`;
    return node;
  }
}

/** whole is everything that the leaf of an entry says, and its content. */
function whole(e: Entry, href: string): HTMLElement {
  const who = [e.speaker, e.source && known("source", e.source)].filter((x) => x && x !== "none").join(" · ");
  const rows: [string, Node | string | undefined][] = [
    [t("entry.time"), date(e.time, "medium")], [t("entry.who"), who || undefined], [t("entry.room"), e.room && h("code", null, e.room)], [t("entry.user"), e.user && h("code", null, e.user)],
    [t("entry.media"), e.media_type], [t("entry.start"), `${e.boot}`], [t("entry.cause"), e.cause.map((c) => `#${c}`).join(", ") || undefined], [t("entry.hash"), copyable(e.leaf_hash)],
  ];
  return h("section", { class: "whole", "aria-label": t("log.index", e.index) }, h("h3", null, `${known("type", e.type)} #${e.index}`, " ", h("span", { class: "tag", "data-o": e.outcome }, icon(e.outcome, 15), t(`outcome.${e.outcome}`))),
    e.detail ? h("p", { class: "error" }, e.detail) : null,
    e.content ? h("pre", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("entry.content") }, pretty(e)) : null,
    h("dl", { class: "facts small" }, rows.filter(([, v]) => v).map(([k, v]) => [h("dt", null, k), h("dd", null, v as Node | string)])),
    href ? h("p", { class: "small" }, h("a", { href, download: `entry-${e.index}.json` }, t("entry.proof"))) : null);
}

/** pretty is the content, JSON with its lines. */
function pretty(e: Entry): string {
  if (!/json/.test(e.media_type ?? "")) return e.content ?? "";
  try { return JSON.stringify(JSON.parse(e.content ?? ""), null, 2); } catch { return e.content ?? ""; }
}

/** layout: a column for each distance from the first cause, narrower where there are many, or a row where they do not fit. */
function layout(entries: Entry[], across: number): { place: Map<number, Place>; wide: number } {
  const depth = new Map<number, number>();
  for (const e of entries) depth.set(e.index, Math.max(0, ...e.cause.map((c) => (depth.has(c) ? depth.get(c)! + 1 : 0))));
  const columns = Math.max(...depth.values()) + 1;
  const room = Math.floor((across - (columns - 1) * gap) / columns);
  const flat = room >= narrowest;
  const wide = flat ? Math.min(widest, room) : widest;
  const used = new Map<number, number>();
  const place = new Map<number, Place>();
  for (const e of entries) {
    const along = depth.get(e.index)!;
    const beside = used.get(along) ?? 0;
    used.set(along, beside + 1);
    place.set(e.index, flat ? { x: 3 + along * (wide + gap), y: 3 + beside * (high + side) } : { x: 3 + beside * (wide + side), y: 3 + along * (high + gap) });
  }
  return { place, wide };
}

function arrow(from: Place, to: Place, wide: number): SVGElement {
  if (to.x >= from.x + wide) return bent(from.x + wide, from.y + high / 2, to.x - 3, to.y + high / 2, true);
  return bent(from.x + wide / 2, from.y + high, to.x + wide / 2, to.y - 3, false);
}

/** bent is a curve with a head, leaving and arriving sideways or downwards. */
function bent(x1: number, y1: number, x2: number, y2: number, flat: boolean): SVGElement {
  const half = (flat ? x2 - x1 : y2 - y1) / 2;
  const curve = flat ? `C${x1 + half} ${y1} ${x2 - half} ${y2} ${x2} ${y2}` : `C${x1} ${y1 + half} ${x2} ${y2 - half} ${x2} ${y2}`;
  return s("g", null, s("path", { d: `M${x1} ${y1}${curve}` }), s("path", { d: flat ? `M${x2 - 7} ${y2 - 5}l7 5-7 5` : `M${x2 - 5} ${y2 - 7}l5 7 5-7` }));
}

define("tp-graph", Graph);
