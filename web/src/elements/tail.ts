// The newest entries of a log, verified here, as the operator watches them.
import { h } from "../dom";
import { iconOf, summary, type Entry } from "../entry";
import { icon } from "../icons";
import { date, known, t } from "../i18n";

const shown = 30;

export function tail(entries: Iterable<Entry>): HTMLElement[] {
  return [...entries].sort((a, b) => b.index - a.index).slice(0, shown).map(row);
}

function row(e: Entry): HTMLElement {
  return h("li", { class: "entry tail", "data-index": e.index, "data-o": e.outcome },
    h("span", { class: "dot" }, icon(iconOf(e.type), 18)),
    h("div", null, h("div", { class: "row small" }, h("strong", null, known("type", e.type)), h("code", { class: "soft" }, `#${e.index}`), h("time", { class: "soft", datetime: e.time }, date(e.time, "medium"))),
      e.outcome === "failed" ? h("p", { class: "error" }, e.detail ?? t("outcome.failed")) : null, h("p", { class: "words" }, summary(e).slice(0, 300))),
    h("span", { class: "tag", "data-o": e.outcome }, icon(e.outcome, 16), h("span", { class: "sr" }, t(`outcome.${e.outcome}`))));
}
