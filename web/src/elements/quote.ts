// <tp-quote>: the inside of a quote: fields, certificates, advisories, replay of the registers. All of it comes from the verifier.
import { define, Element } from "../element";
import { h } from "../dom";
import { icon } from "../icons";
import { date, t, type Key } from "../i18n";
import { field, sentence } from "../text/words";
import type { Certificate, Explanation, Field, Register } from "../quote";
import { copyable } from "./copy";

const long = 400; // hex digits shown at once

export class QuoteView extends Element {
  private quote: Explanation | null = null;

  show(quote: Explanation | null): void { this.quote = quote; this.draw(); }

  draw(): void {
    const q = this.quote;
    if (!q) { this.replaceChildren(); return; }
    this.replaceChildren(fields(q), certificates(q.certificates ?? []), ...(q.advisories ? [advisories(q.advisories)] : []), registers(q.registers ?? []));
  }
}

function panel(title: Key, count: string, open: boolean, ...inside: (Node | null)[]): HTMLElement {
  return h("details", { class: "card panel", open, "data-panel": title }, h("summary", { class: "head" }, h("h2", null, t(title)), h("span", { class: "soft small" }, count), icon("open", 18)), ...inside);
}

function fields(q: Explanation): HTMLElement {
  const sections = ["header", "body", "signature"] as const;
  return panel("fields.title", `${q.tee} v${q.version}`, true,
    ...(q.notes ?? []).map((n) => h("p", { class: "notice" }, sentence(n))),
    ...sections.map((s) => table(s, q.fields.filter((f) => f.section === s))));
}

function table(section: Field["section"], list: Field[]): HTMLElement | null {
  if (!list.length) return null;
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t(`fields.${section}`) }, h("table", { class: "fields" },
    h("caption", null, t(`fields.${section}`)),
    h("thead", null, h("tr", null, (["offset", "field", "value"] as const).map((c) => h("th", { scope: "col" }, t(`fields.${c}`))))),
    h("tbody", null, list.map((f) => h("tr", { "data-field": f.name },
      h("td", { class: "mono soft" }, f.offset, h("span", { class: "sr" }, ` + ${f.size}`)),
      h("th", { scope: "row" }, f.name, h("small", { class: "soft" }, field(f.name, f.meaning))),
      h("td", null, value(f)))))));
}

/** long values, such as a certificate chain, show their beginning and open to the whole. */
function value(f: Field): HTMLElement {
  if (f.value.length <= long) return copyable(f.value);
  return h("details", { class: "long" }, h("summary", null, h("code", null, `${f.value.slice(0, 96)}…`), " ", h("span", { class: "soft small" }, t("fields.bytes", (f.value.length / 2).toLocaleString())), icon("open", 16)), copyable(f.value));
}

function certificates(list: Certificate[]): HTMLElement {
  if (!list.length) return panel("certs.title", "0", true, h("p", { class: "notice error" }, t("certs.none")));
  return panel("certs.title", String(list.length), false, h("ol", { class: "certs" }, list.map(certificate)));
}

function certificate(c: Certificate): HTMLElement {
  const now = Date.now();
  const current = now >= Date.parse(c.not_before) && now <= Date.parse(c.not_after);
  const revocation = c.revocation ?? "unknown";
  return h("li", null, h("strong", null, c.subject),
    h("div", { class: "row small" },
      c.root ? h("span", { class: "tag", "data-o": c.pinned ? "passed" : "warning" }, t(c.pinned ? "certs.root" : "certs.root.other")) : null,
      h("span", { class: "tag", "data-o": ({ good: "passed", revoked: "failed", unknown: "not_checked" } as const)[revocation] }, t(`certs.${revocation}`)),
      current ? null : h("span", { class: "tag", "data-o": "warning" }, t("certs.expired"))),
    h("dl", { class: "facts small" },
      h("dt", null, t("certs.issuer")), h("dd", null, c.issuer),
      h("dt", null, t("certs.valid")), h("dd", null, `${date(c.not_before)} – ${date(c.not_after)}`),
      h("dt", null, t("certs.serial")), h("dd", null, h("code", null, c.serial)),
      h("dt", null, "SHA-256"), h("dd", null, h("code", null, c.sha256))));
}

function advisories(list: string[]): HTMLElement {
  return panel("advisories.title", String(list.length), list.length > 0,
    h("p", { class: "soft" }, t(list.length ? "advisories.intro" : "advisories.none")),
    h("ul", { class: "row plainlist" }, list.map((a) => h("li", { class: "tag", "data-o": "warning" }, a))));
}

function registers(list: Register[]): HTMLElement {
  if (!list.length) return panel("rtmr.title", "", false, h("p", { class: "soft" }, t("rtmr.none")));
  return panel("rtmr.title", "", list.some((r) => !r.matches), h("p", { class: "soft" }, t("rtmr.intro")), ...list.map(register));
}

function register(r: Register): HTMLElement {
  return h("details", { class: "register", open: !r.matches, "data-register": r.name },
    h("summary", { class: "head" }, h("h3", null, r.name), h("span", { class: "tag", "data-o": r.matches ? "passed" : "failed" }, icon(r.matches ? "passed" : "failed", 15), t(r.matches ? "rtmr.matches" : "rtmr.differs")),
      h("span", { class: "soft small" }, t("rtmr.events", r.steps.length)), icon("open", 16)),
    h("ol", { class: "steps" }, h("li", null, h("code", { class: "soft" }, "0".repeat(96))), r.steps.map((s) => h("li", null,
      h("strong", null, s.event), s.payload ? h("code", { class: "payload" }, s.payload) : null,
      h("dl", { class: "compare" }, h("dt", null, t("rtmr.digest")), h("dd", null, s.digest), h("dt", null, t("rtmr.value")), h("dd", null, s.value))))),
    h("dl", { class: "compare" }, h("dt", null, t("got")), h("dd", null, r.replayed), h("dt", null, t("want")), h("dd", null, r.quoted)));
}

define("tp-quote", QuoteView);
