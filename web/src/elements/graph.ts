// <tp-graph>: why the agent did something: entries as boxes, each after what led to it: to the right where there is room, else below.
import { define, Element } from "../element";
import { h, s } from "../dom";
import { iconOf, summary, type Entry } from "../entry";
import { icon } from "../icons";
import { known, t } from "../i18n";

const wide = 196, high = 92, gap = 44, side = 18;

interface Place { x: number; y: number }

export class Graph extends Element {
  private entries: Entry[] = [];
  private chosen = -1;

  show(entries: Entry[], chosen: number): void { this.entries = entries; this.chosen = chosen; this.draw(); }

  draw(): void {
    const inside = this.entries.length ? this.picture() : h("p", { class: "soft" }, t("graph.none"));
    this.replaceChildren(h("section", { class: "card" }, h("h2", null, t("graph.title")), h("p", { class: "soft small" }, t("graph.intro")), inside));
  }

  private picture(): HTMLElement {
    const across = (this.clientWidth || 1000) - 50;
    const place = layout(this.entries, across);
    const width = Math.max(...[...place.values()].map((p) => p.x)) + wide + 6;
    const height = Math.max(...[...place.values()].map((p) => p.y)) + high + 6;
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

/** layout: a column for each distance from the first cause, or a row where the columns do not fit. */
export function layout(entries: Entry[], across: number): Map<number, Place> {
  const depth = new Map<number, number>();
  for (const e of entries) depth.set(e.index, Math.max(0, ...e.cause.map((c) => (depth.has(c) ? depth.get(c)! + 1 : 0))));
  const flat = (Math.max(...depth.values()) + 1) * (wide + gap) - gap <= across;
  const used = new Map<number, number>();
  const place = new Map<number, Place>();
  for (const e of entries) {
    const along = depth.get(e.index)!;
    const beside = used.get(along) ?? 0;
    used.set(along, beside + 1);
    place.set(e.index, flat ? { x: 3 + along * (wide + gap), y: 3 + beside * (high + side) } : { x: 3 + beside * (wide + side), y: 3 + along * (high + gap) });
  }
  return place;
}

function arrow(from: Place, to: Place): SVGElement {
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
