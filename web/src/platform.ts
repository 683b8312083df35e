// What the operator sees of the platform: figures, measurements and certificates. All of it comes from the verifier or is a count.
import { copyable } from "./elements/copy";
import { h } from "./dom";
import { spark, type Figures, type Rate } from "./figures";
import { date, t } from "./i18n";
import type { Certificate, Explanation } from "./quote";
import type { Result } from "./result";

const day = 86_400_000, soon = 14; // days

export function tiles(r: Result | null, platform: string | undefined, f: Figures, rate: Rate, quote: Explanation | null): HTMLElement[] {
  const tile = (label: string, value: string, more?: Node): HTMLElement => h("li", null, h("span", { class: "soft small" }, label), h("strong", null, value), more ?? null);
  const bars = rate.bars();
  return [
    tile(t("dash.platform"), r?.platform ?? platform ?? "–"),
    tile(t("dash.tcb"), r?.checks.find((c) => c.id.startsWith("tcb."))?.got ?? "–", left(quote)),
    tile(t("dash.rate"), t("dash.rate.unit", bars.at(-1) ?? 0), spark(bars)),
    tile(t("dash.errors"), String(f.errors ?? 0)),
    tile(t("dash.requests"), f.requests === undefined ? "–" : f.requests.toLocaleString()),
    tile(t("dash.memory"), f.memory === undefined ? "–" : `${Math.round(f.memory / 1e6)} MB`),
    tile(t("dash.uptime"), f.started === undefined ? "–" : date(f.started * 1000)),
  ];
}

/** left: days until the first certificate or document of the chain runs out. */
function left(quote: Explanation | null): HTMLElement | undefined {
  const ends = (quote?.certificates ?? []).map((c) => Date.parse(c.not_after)).filter(Number.isFinite);
  if (quote?.expires) ends.push(Date.parse(quote.expires));
  if (!ends.length) return undefined;
  const days = Math.floor((Math.min(...ends) - Date.now()) / day);
  return h("span", { class: "tag", "data-o": outcome(days) }, t("dash.tcb.days", days));
}

const outcome = (days: number): string => (days < 0 ? "failed" : days < soon ? "warning" : "passed");

export function measurements(quote: Explanation | null): HTMLElement {
  const wanted = /^(mr_?td|rtmr\d|mr_?enclave|mr_?signer|td_?attributes)$/i;
  const list = (quote?.fields ?? []).filter((f) => wanted.test(f.name));
  return h("section", { class: "card" }, h("h2", null, t("dash.measurements")), h("dl", { class: "facts" }, list.map((f) => [h("dt", null, f.name), h("dd", null, copyable(f.value))])));
}

export function certificates(quote: Explanation | null): HTMLElement {
  return h("section", { class: "card" }, h("h2", null, t("dash.certs")), h("ul", { class: "plainlist certs" }, (quote?.certificates ?? []).map(certificate)));
}

function certificate(c: Certificate): HTMLElement {
  const days = Math.floor((Date.parse(c.not_after) - Date.now()) / day);
  const revocation = c.revocation ?? "unknown";
  return h("li", null, h("strong", null, c.subject), h("span", { class: "soft small" }, `${date(c.not_before)} – ${date(c.not_after)}`),
    h("span", { class: "row" }, h("span", { class: "tag", "data-o": outcome(days) }, days < 0 ? t("certs.expired") : t("dash.days", days.toLocaleString())),
      revocation === "unknown" ? null : h("span", { class: "tag", "data-o": revocation === "good" ? "passed" : "failed" }, t(`certs.${revocation}`))));
}
