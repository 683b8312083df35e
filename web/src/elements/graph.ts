// <tp-graph>: why the agent did something: entries as boxes in columns, each to the right of what led to it.
import { define, Element } from "../element";
import { h, s } from "../dom";
import { iconOf, summary, type Entry } from "../entry";
import { icon } from "../icons";
import { known, t } from "../i18n";

const wide = 196, high = 92, gapX = 46, gapY = 18;

export class Graph extends Element {
  private entries: Entry[] = [];
  private chosen = -1;

  show(entries: Entry[], chosen: number): void { this.entries = entries; this.chosen = chosen; this.draw(); }

  draw(): void {
    const inside = this.entries.length ? this.picture() : h("p", { class: "soft" }, t("graph.none"));
    this.replaceChildren(h("section", { class: "card" }, h("h2", null, t("graph.title")), h("p", { class: "soft small" }, t("graph.intro")), inside));
  }

  private picture(): HTMLElement {
    const place = layout(this.entries);
    const width = Math.max(...[...place.values()].map((p) => p.x)) + wide;
    const height = Math.max(...[...place.values()].map((p) => p.y)) + high;
    const arrows = this.entries.flatMap((e) => e.cause.filter((c) => place.has(c)).map((c) => arrow(place.get(c)!, place.get(e.index)!)));
    const board = h("ol", { class: "board" }, this.entries.map((e) => this.box(e, place.get(e.index)!)));
    board.style.width = `${width}px`; board.style.height = `${height}px`;
    const lines = s("svg", { width, height, "aria-hidden": "true" }, arrows);
    return h("div", { class: "scroll graph", tabindex: 0, role: "region", "aria-label": t("graph.title") }, h("div", { class: "canvas" }, lines, board));
  }

  private box(e: Entry, at: { x: number; y: number }): HTMLElement {
    const led = e.cause.filter((c) => this.entries.some((x) => x.index === c)).map((c) => `#${c}`).join(", ");
    const node = h("li", { class: `box ${e.index === this.chosen ? "chosen" : ""}`, "data-o": e.outcome, "data-index": e.index },
      h("div", { class: "row small" }, icon(iconOf(e.type), 16), h("strong", null, known("type", e.type)), h("code", { class: "soft" }, `#${e.index}`), icon(e.outcome, 16)),
      h("p", null, summary(e).slice(0, 120) || h("em", { class: "soft" }, t(e.content_state === "erased" ? "log.erased" : "log.withheld"))),
      led ? h("span", { class: "sr" }, t("graph.leads", led)) : null);
    node.style.left = `${at.x}px`; node.style.top = `${at.y}px`;
    return node;
  }
}

/** layout: a column for each distance from the first cause, rows in order. */
export function layout(entries: Entry[]): Map<number, { x: number; y: number }> {
  const depth = new Map<number, number>();
  for (const e of entries) depth.set(e.index, Math.max(0, ...e.cause.map((c) => (depth.has(c) ? depth.get(c)! + 1 : 0))));
  const rows = new Map<number, number>();
  const place = new Map<number, { x: number; y: number }>();
  for (const e of entries) {
    const d = depth.get(e.index)!;
    const row = rows.get(d) ?? 0;
    rows.set(d, row + 1);
    place.set(e.index, { x: d * (wide + gapX), y: row * (high + gapY) });
  }
  return place;
}

function arrow(from: { x: number; y: number }, to: { x: number; y: number }): SVGElement {
  const x1 = from.x + wide, y1 = from.y + high / 2, x2 = to.x - 4, y2 = to.y + high / 2;
  const bend = Math.max(20, (x2 - x1) / 2);
  return s("g", null, s("path", { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }), s("path", { d: `M${x2 - 7} ${y2 - 5}l7 5-7 5` }));
}

define("tp-graph", Graph);
