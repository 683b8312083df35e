// <tp-chain>: a verdict as a person reads it: the headline, the chain drawn, each link opening to what was compared with what.
import { define, Element } from "../element";
import { h, renew } from "../dom";
import { icon } from "../icons";
import { known, language, t, type Key } from "../i18n";
import { checkTitle, meaning, remedy, sentence as words } from "../text/words";
import { listed, marked, measured } from "./differences";
import { headline } from "../headline";
import { aside, debug, links, type Check, type Link, type Outcome, type Result } from "../result";

export class Chain extends Element {
  private result: Result | null = null;
  private problem = "";
  private busy = "";
  private opened = new Set<string>();
  private body = h("div");
  private said = h("p", { class: "sr", role: "status" }); // stays in the page: only then does a screen reader hear what changes

  /** show draws a verdict; links that need attention start open, and those that the reader opened stay so. */
  show(result: Result): void {
    const kept = this.result ? this.opened : [];
    this.result = result;
    this.problem = this.busy = "";
    this.opened = new Set([...kept, ...links(result.checks).filter((l) => l.outcome === "failed").map((l) => l.name)]);
    this.draw();
  }

  /** wait says what is being done; it keeps an older verdict from standing for a new question. */
  wait(what: string): void { this.result = null; this.problem = ""; this.busy = what; this.draw(); }

  /** fail says why nothing could be judged. */
  fail(why: string): void { this.result = null; this.busy = ""; this.problem = why; this.draw(); }

  /** clear takes the question back. */
  clear(): void { this.result = null; this.busy = this.problem = ""; this.draw(); }

  draw(): void {
    const focused = this.contains(document.activeElement) ? document.activeElement?.closest("details")?.dataset.link : undefined;
    if (!this.body.isConnected) this.replaceChildren(this.said, this.body);
    const state = this.state();
    renew(this.body, state);
    const heard = this.result ? this.spoken(this.result) : this.problem ? `${t("could_not")}: ${words(this.problem)}` : this.busy;
    if (this.said.textContent !== heard) this.said.textContent = heard;
    if (focused) this.querySelector<HTMLElement>(`details[data-link="${focused}"] > summary`)?.focus({ preventScroll: true });
  }

  private state(): HTMLElement | null {
    if (this.result) return this.verdict(this.result);
    if (this.problem) return could_not(this.problem);
    if (this.busy) return h("section", { class: "card verdict" }, h("div", { class: "say" }, spinner(), h("h2", null, this.busy)));
    return null;
  }

  /** spoken is the verdict in one breath: the tier, the headline, and which links do not hold. */
  private spoken(r: Result): string {
    const all = links(r.checks);
    const bad = all.filter((l) => l.outcome === "failed").map((l) => `${t(`link.${l.name}` as Key)}: ${t("outcome.failed")}`);
    const said = headline(r);
    return [r.simulated && !said.includes(t("simulated")) ? t("simulated") : "", debug(r) ? t("debug") : "", t(`tier.${r.tier}` as Key), said, ...bad].filter(Boolean).join(". ");
  }

  private verdict(r: Result): HTMLElement {
    const all = links(r.checks);
    const beside = aside(r.checks);
    const tier = `tier.${r.tier}` as Key;
    return h("section", { class: "card verdict", "data-tier": r.tier, "data-simulated": r.simulated ?? false, "aria-label": t("verdict") },
      r.simulated ? h("div", { class: "stripe simulated" }, h("b", null, t("simulated")), h("span", null, t("simulated.why"))) : null,
      debug(r) ? h("div", { class: "stripe danger debug" }, h("b", null, t("debug")), h("span", null, t("debug.why"))) : null,
      h("div", { class: "say" }, icon(shape(r.tier), 34),
        h("div", null, h("p", { class: "word" }, t(tier)), h("h2", null, headline(r)), language === "zh" && r.headline ? h("p", { lang: "en", class: "soft small" }, r.headline) : null, h("p", { class: "soft" }, t(r.kind === "quote" ? "quote.only" : (`${tier}.why` as Key))))),
      this.strip(all, r.simulated ?? false),
      h("ol", { class: "chain" }, [...all, ...(beside ? [beside] : [])].map((l) => this.link(l))),
      r.not_proven ? h("p", { class: "not-proven" }, h("strong", null, t("not_proven")), " ", sentenceCase(words(r.not_proven))) : null);
  }

  private strip(all: Link[], simulated: boolean): HTMLElement {
    return h("ol", { class: "strip", "aria-label": t("chain") }, all.map((l) => {
      const sim = simulated && l.name === "hardware" && l.outcome !== "failed";
      return h("li", { "data-o": l.outcome, class: `${l.broken ? "cut" : ""} ${sim ? "sim-knot" : ""}`.trim() },
        h("button", { type: "button", onclick: () => this.reveal(l.name) },
          h("span", { class: "knot" }, icon(l.name, 24), h("span", { class: "mark" }, icon(l.outcome, 20))),
          h("span", null, t(`link.${l.name}` as Key)), h("span", { class: "sr" }, t(`outcome.${l.outcome}` as Key))));
    }));
  }

  private reveal(name: string): void {
    const details = this.querySelector<HTMLDetailsElement>(`details[data-link="${name}"]`);
    if (!details) return;
    details.open = true;
    details.querySelector("summary")?.focus({ preventScroll: true });
    details.scrollIntoView({ block: "nearest" });
  }

  private link(l: Link): HTMLElement {
    const details = h("details", { "data-link": l.name, "data-outcome": l.outcome, open: this.opened.has(l.name) },
      h("summary", null, icon(l.outcome, 24),
        h("span", null, h("strong", null, t(`link.${l.name}.title` as Key)), h("small", null, sentence(l))),
        h("span", { class: "tag", "data-o": l.outcome }, t(`outcome.${l.outcome}` as Key)), icon("open", 18)),
      inside(l.checks));
    details.addEventListener("toggle", () => (details.open ? this.opened.add(l.name) : this.opened.delete(l.name)));
    return h("li", { "data-o": l.outcome }, details);
  }
}

/** inside shows what needs attention first; what passed beside it waits behind one line. */
function inside(checks: Check[]): HTMLElement {
  const loud = checks.filter((c) => c.outcome === "failed" || c.outcome === "warning");
  const quiet = checks.filter((c) => !loud.includes(c));
  if (!loud.length || quiet.length < 3) return h("ul", { class: "checks" }, [...loud, ...quiet].map(check));
  return h("div", null, h("ul", { class: "checks" }, loud.map(check)),
    h("details", { class: "quiet" }, h("summary", null, t("quiet", quiet.length), icon("open", 16)), h("ul", { class: "checks" }, quiet.map(check))));
}

/** sentence is the line under a link's name: the worst news first, else what it means. */
function sentence(l: Link): string {
  const bad = l.checks.find((c) => c.outcome === l.outcome && (c.outcome === "failed" || c.outcome === "warning"));
  const said = bad ?? (l.outcome === "not_checked" ? l.checks[0] : undefined); // what nobody looked at is not said as if it held
  const text = said ? meaning(said) ?? sentenceCase(said.detail) : t(`link.${l.name}.means` as Key);
  return l.broken ? `${t("hangs")} ${text}` : text;
}

/** sentenceCase: the verifier's sentences begin small, as in a terminal. */
function sentenceCase(s: string): string { return s.charAt(0).toUpperCase() + s.slice(1); }

export function check(c: Check): HTMLElement {
  const own = meaning(c), what = remedy(c), table = c.outcome === "passed" ? null : measured(c.want);
  return h("li", { class: "check", "data-o": c.outcome, "data-check": c.id },
    h("h3", null, h("span", { class: "tag", "data-o": c.outcome }, icon(c.outcome, 15), t(`outcome.${c.outcome}` as Key)), checkTitle(c.id) ?? null, h("code", null, c.id)),
    h("p", { class: "said", lang: own ? null : "en" }, own ?? sentenceCase(c.detail)),
    own && c.outcome !== "passed" ? h("p", { lang: "en", class: "soft small original" }, [c.detail, c.remedy].filter(Boolean).map((s) => sentenceCase(s!)).join(". ")) : null,
    table,
    c.got || c.want ? h("dl", { class: "compare" },
      c.got ? [h("dt", null, t("got")), h("dd", null, c.outcome === "failed" && c.want ? marked(listed(c.got), c.want) : listed(c.got))] : null,
      c.want && !table ? [h("dt", null, t("want")), h("dd", null, c.want)] : null,
      c.source ? [h("dt", null, t("source")), h("dd", { class: "from", lang: "en" }, c.source)] : null) : null,
    what ? h("p", { class: "remedy" }, h("strong", null, t("remedy")), " ", what, c.fault ? h("span", { class: "soft" }, ` (${t("fault")} ${known("fault", c.fault)})`) : null) : null);
}

function shape(tier: Result["tier"]): Outcome {
  return ({ affirming: "passed", warning: "warning", contraindicated: "failed", none: "not_checked" } as const)[tier];
}

export function spinner(): SVGElement {
  const node = icon("pending", 28);
  node.classList.add("spin");
  return node;
}

function could_not(why: string): HTMLElement {
  return h("section", { class: "card verdict", "data-tier": "none" },
    h("div", { class: "say" }, icon("not_checked", 34), h("div", null, h("p", { class: "word" }, t("tier.none")), h("h2", null, t("could_not")), h("p", null, words(why)))));
}

define("tp-chain", Chain);
