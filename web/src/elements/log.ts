// <tp-log>: the log as it grows. A row is drawn from a leaf that the verifier decoded, with the verifier's outcome on it.
import { define, Element } from "../element";
import { h, renew } from "../dom";
import { iconOf, summary, type Entry } from "../entry";
import { icon } from "../icons";
import { date, known, t, type Key } from "../i18n";

const page = 100; // rows drawn; older ones by button, so that a long log does not freeze the page

export interface Filter { type: string; text: string }

export class Log extends Element {
  readonly entries = new Map<number, Entry>();
  onfilter: (f: Filter) => void = () => undefined;
  onwhy: (index: number) => void = () => undefined;
  ongrow: (size: number) => void = () => undefined;
  private limit = page;
  private live = false;
  private filter: Filter = { type: "", text: "" };
  private list = h("ol", { class: "entries", reversed: true });
  private type = h("select");
  private counts = h("p", { class: "soft small", role: "status" });
  private pending = 0;
  private going = "";

  add(...entries: Entry[]): void {
    for (const e of entries) this.entries.set(e.index, e);
    this.ongrow(Math.max(0, ...entries.map((e) => e.index + 1)));
    this.later();
  }

  connected(live: boolean): void { this.live = live; this.later(); }

  /** say shows what is going on, such as the progress over a long log. */
  say(what: string): void { this.going = what; this.later(); }

  /** later draws once per frame, however many entries arrive. */
  private later(): void { this.pending ||= requestAnimationFrame(() => { this.pending = 0; this.rows(); }); }

  draw(): void {
    this.type = h("select", { id: "log-type", onchange: () => this.change({ type: this.type.value }) });
    const text = h("input", { id: "log-text", type: "search", value: this.filter.text, oninput: () => this.change({ text: text.value }) });
    this.replaceChildren(h("section", { class: "card log" },
      h("div", { class: "head" }, h("h2", null, t("log.title")), h("span", { class: "livedot tag" })),
      h("p", { class: "soft small" }, t("log.intro")),
      h("div", { class: "cols tight" }, h("div", null, h("label", { for: "log-type" }, t("log.type")), this.type), h("div", null, h("label", { for: "log-text" }, t("log.search")), text)),
      this.counts, this.list));
    this.rows();
  }

  /** choices lists the types that are there, beside those that every agent has. */
  private choices(): void {
    const types = new Set(["boot", "message", "model", "reply", "action", "intent", "result", ...[...this.entries.values()].map((e) => e.type)]);
    if (this.type.options.length === types.size + 1) return;
    this.type.replaceChildren(h("option", { value: "" }, t("log.all")), ...[...types].map((x) => h("option", { value: x, selected: x === this.filter.type }, known("type", x))));
  }

  private change(part: Partial<Filter>): void {
    this.filter = { ...this.filter, ...part };
    this.limit = page;
    this.rows();
    this.onfilter(this.filter);
  }

  private rows(): void {
    this.choices();
    const all = [...this.entries.values()];
    const failed = all.filter((e) => e.outcome === "failed");
    const dot = this.querySelector(".livedot");
    if (dot) { dot.textContent = t(this.live ? "log.live" : "log.offline"); dot.setAttribute("data-o", this.live ? "passed" : "not_checked"); }
    renew(this.counts, this.going ? `${this.going} · ` : "", t("log.verified", all.filter((e) => e.outcome === "passed").length),
      failed.length ? h("strong", { class: "error" }, ` · ${t("log.failed", failed.length)} – ${t("log.tampered")}`) : "",
      this.filter.text ? ` · ${t("log.attested")}` : "");
    const shown = all.filter((e) => this.fits(e)).sort((a, b) => b.index - a.index);
    renew(this.list, shown.slice(0, this.limit).map((e) => this.row(e)),
      shown.length || !all.length && !this.live ? null : h("li", { class: "soft", "data-key": "none" }, t("log.empty")),
      shown.length > this.limit ? h("li", { "data-key": "older" }, h("button", { type: "button", class: "plain", onclick: () => { this.limit += page; this.rows(); } }, t("log.older"))) : null);
  }

  private fits(e: Entry): boolean {
    return (!this.filter.type || e.type === this.filter.type) && (!this.filter.text || (e.content ?? "").toLowerCase().includes(this.filter.text.toLowerCase()));
  }

  private row(e: Entry): HTMLElement {
    const words = summary(e);
    return h("li", { "data-index": e.index, "data-o": e.outcome, class: "entry" },
      h("span", { class: "dot" }, icon(iconOf(e.type), 18)),
      h("div", null, h("div", { class: "row small" }, h("strong", null, known("type", e.type)), h("code", { class: "soft" }, `#${e.index}`),
        h("time", { class: "soft", datetime: e.time }, date(e.time, "medium")),
        e.source === "caller" ? h("span", { class: "tag" }, t("log.claimed")) : null, e.clamped ? h("span", { class: "tag", "data-o": "warning" }, t("log.clamped")) : null),
        e.outcome === "failed" ? h("p", { class: "error" }, e.detail ?? t("outcome.failed")) : null,
        e.outcome === "failed" && !words ? null : h("p", { class: "words" }, words ? words.slice(0, 400) : h("em", { class: "soft" }, e.content_state === "none" ? "" : t(e.content_state === "erased" ? "log.erased" : "log.withheld")))),
      h("button", { type: "button", class: "plain", onclick: () => this.onwhy(e.index), "aria-label": `${t("log.cause")} ${t("log.index", e.index)}` }, t("log.cause")),
      h("span", { class: "tag", "data-o": e.outcome, title: t(`outcome.${e.outcome}` as Key) }, icon(e.outcome, 16), h("span", { class: "sr" }, t(`outcome.${e.outcome}` as Key))));
  }
}

define("tp-log", Log);
