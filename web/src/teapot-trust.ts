// <teapot-trust src="https://agent.example">: one element to embed. It checks the agent in the visitor's own browser,
// shows state and age, and goes grey by itself when it cannot check. Attributes: src, agent, every (seconds, 300),
// max-age (seconds, 900), policy (address of a policy file), allow-simulated.
import { ask } from "./api";
import { h, renew } from "./dom";
import { headline } from "./headline";
import { icon } from "./icons";
import { ago, t, type Key } from "./i18n";
import { links, type Result } from "./result";
import { Session } from "./session";

type State = "pending" | "affirming" | "warning" | "simulated" | "contraindicated" | "grey";

// Colours follow the colour scheme of the page around (CSS color-scheme).
const style = `
:host{display:inline-block;position:relative;font:14px/1.4 system-ui,sans-serif;--c:light-dark(#5f6b66,#9aa6a0);--w:light-dark(#ecebe5,#202724);--ink:light-dark(#1c2521,#e9ede9);--paper:light-dark(#fffefb,#191f1c);--ok:light-dark(#1d7550,#6fd0a0);--warn:light-dark(#8a5a00,#e9b64f);--bad:light-dark(#b0271d,#ff8d80)}
:host([state=affirming]){--c:var(--ok);--w:light-dark(#e4f2ea,#16291f)}:host([state=warning]){--c:var(--warn);--w:light-dark(#fbf0d9,#2d2412)}:host([state=contraindicated]){--c:var(--bad);--w:light-dark(#fbe7e4,#351a17)}:host([state=simulated]){--c:light-dark(#6438b3,#bda2ff);--w:light-dark(#efe8fb,#261d3d)}
[hidden]{display:none!important}button,a{font:inherit;color:inherit;cursor:pointer}
.pill{display:inline-flex;gap:.45em;align-items:center;border:1.5px solid var(--c);background:var(--w);color:var(--c);border-radius:99px;padding:.35em .8em;font-weight:600}
.pill small{font-weight:400}
.icon{fill:none;stroke:currentcolor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round;flex:none}
.pop{position:absolute;z-index:9;top:calc(100% + 8px);left:0;width:max-content;max-width:min(19rem,80vw);background:var(--paper);color:var(--ink);border:1px solid light-dark(#ccc,#3a4640);border-radius:12px;padding:.9em 1em;box-shadow:0 8px 30px -10px rgb(0 0 0/35%)}
ol{list-style:none;margin:.5em 0;padding:0;display:grid;gap:.3em}li{display:flex;gap:.5em;align-items:center}
[data-o=passed]{color:var(--ok)}[data-o=warning]{color:var(--warn)}[data-o=failed]{color:var(--bad)}[data-o=not_checked]{color:light-dark(#5f6b66,#9aa6a0)}
p{margin:.3em 0}.go{display:flex;gap:.8em}.go button{background:none;border:0;padding:0;text-decoration:underline}
:focus-visible{outline:3px solid var(--c);outline-offset:2px}
`;

export class TeapotTrust extends HTMLElement {
  static observedAttributes = ["src", "agent"];
  private root = this.attachShadow({ mode: "open" });
  private result: Result | null = null;
  private checked = 0;
  private why = "";
  private open = false;
  private timers: number[] = [];
  // Put in once and never moved: a badge draws itself anew all the time, and focus must stay.
  private pill = h("button", { class: "pill", type: "button", onclick: () => this.toggle(!this.open) });
  private pop = h("div", { class: "pop", role: "group", hidden: true, onkeydown: (e: KeyboardEvent) => { if (e.key === "Escape") this.toggle(false); } });

  connectedCallback(): void {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    this.root.adoptedStyleSheets = [sheet];
    this.timers = [setInterval(() => void this.check(), 1000 * this.number("every", 300)), setInterval(() => this.draw(), 15_000)];
    document.addEventListener("visibilitychange", this.seen);
    void this.check();
  }

  disconnectedCallback(): void {
    this.timers.forEach(clearInterval);
    document.removeEventListener("visibilitychange", this.seen);
  }

  attributeChangedCallback(): void { if (this.isConnected) void this.check(); }

  /** seen draws at once when the page comes back: a badge must not wake up green. */
  private seen = (): void => { if (!document.hidden) { this.draw(); if (this.stale()) void this.check(); } };

  private number(name: string, otherwise: number): number {
    const n = Number(this.getAttribute(name));
    return Number.isFinite(n) && n > 0 ? n : otherwise;
  }

  private stale(): boolean { return Date.now() - this.checked > 1000 * this.number("max-age", 900); }

  async check(): Promise<void> {
    this.draw();
    try {
      const session = new Session(new URL("/", this.getAttribute("src") ?? location.href), { allow_simulated: this.hasAttribute("allow-simulated"), policy: await this.policy() });
      await session.meet(this.getAttribute("agent") ?? undefined);
      this.result = await session.judge();
      this.checked = Date.now();
      this.why = "";
    } catch (e) {
      this.result = null;
      this.why = (e as Error).message;
    }
    this.draw();
    this.dispatchEvent(new CustomEvent("teapot-verdict", { bubbles: true, detail: { state: this.state(), result: this.result } }));
  }

  /** policy is the embedding site's own: with its reference values, and only then, hardware can be affirming. */
  private async policy(): Promise<string | undefined> {
    const file = this.getAttribute("policy");
    return file ? (await ask(new URL(file, location.href))).text() : undefined;
  }

  private state(): State {
    if (!this.result) return this.why ? "grey" : "pending";
    if (this.stale()) return "grey";
    if (this.result.tier === "contraindicated") return "contraindicated";
    if (this.result.simulated) return "simulated";
    return this.result.tier === "none" ? "grey" : this.result.tier;
  }

  private draw(): void {
    const state = this.state();
    this.setAttribute("state", state);
    const shape = { pending: "pending", affirming: "passed", warning: "warning", simulated: "warning", contraindicated: "failed", grey: "not_checked" }[state];
    this.pill.setAttribute("aria-expanded", String(this.open));
    renew(this.pill, icon(shape, 18), h("span", { role: "status" }, t(`badge.${state}` as Key)), this.checked && state !== "pending" ? h("small", null, t("badge.age", ago(this.checked))) : null);
    this.pop.hidden = !this.open;
    this.pop.setAttribute("aria-label", t("badge.details"));
    if (this.open) renew(this.pop, this.details(state));
    if (!this.pill.isConnected) this.root.replaceChildren(this.pill, this.pop);
  }

  private toggle(open: boolean): void {
    this.open = open;
    this.draw();
    if (!open) this.pill.focus();
  }

  private details(state: State): HTMLElement[] {
    const src = this.getAttribute("src") ?? location.origin;
    const home = new URL("../explorer", import.meta.url);
    home.hash = `url=${encodeURIComponent(src)}`;
    const why = state === "grey" ? this.why || t("badge.stale") : this.result ? headline(this.result) : "";
    return [h("strong", null, new URL(src, location.href).host), h("p", null, why),
      h("ol", null, this.result ? links(this.result.checks).map((l) => h("li", { "data-o": l.outcome }, icon(l.outcome, 16), t(`link.${l.name}.title` as Key), " – ", t(`outcome.${l.outcome}` as Key))) : []),
      h("div", { class: "go" }, h("a", { href: home.href }, t("badge.more")), h("button", { type: "button", onclick: () => void this.check() }, t("badge.again")))];
  }
}

if (!customElements.get("teapot-trust")) customElements.define("teapot-trust", TeapotTrust);
