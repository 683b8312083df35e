// The operator's dashboard. The token stays in this tab; what it shows about the platform is judged here like anywhere else.
import "./elements/chain";
import { ask, bytes, json } from "./api";
import type { Chain } from "./elements/chain";
import { copyable } from "./elements/copy";
import { iconOf, summary, type Entry } from "./entry";
import { define, Element } from "./element";
import { h, s } from "./dom";
import { icon } from "./icons";
import { date, known, t } from "./i18n";
import { follow, type Sink } from "./live";
import { metrics, type Metrics } from "./metrics";
import type { Certificate, Explanation } from "./quote";
import type { Result } from "./result";
import { Session } from "./session";
import { shell } from "./shell";
import { verifier } from "./verifier";

interface Row { id: string; name: string; running: boolean; size?: number }

const kept = "teapot.token";

class Dashboard extends Element {
  private token = sessionStorage.getItem(kept) ?? "";
  private session = new Session(new URL("/", location.href));
  private chain = h("tp-chain") as Chain;
  private rows: Row[] = [];
  private stopped = new Map<string, string>(); // seen in this tab and stopped since: the server lists only who runs
  private quote: Explanation | null = null;
  private result: Result | null = null;
  private tail = new Map<number, Entry>();
  private arrivals: number[] = [];
  private figures: Metrics = {};
  private said = "";
  private problem = "";
  private unfollow: () => void = () => undefined;

  connectedCallback(): void {
    super.connectedCallback();
    if (this.token) void this.enter(this.token);
    setInterval(() => { if (this.token && !document.hidden) void this.refresh(); }, 5000);
  }

  disconnectedCallback(): void { super.disconnectedCallback(); this.unfollow(); }

  /** enter tries the token on a route that needs it; a refused token is forgotten. */
  private async enter(token: string): Promise<void> {
    this.problem = "";
    try {
      this.figures = await metrics(this.session.base, token);
      this.token = token;
      sessionStorage.setItem(kept, token);
      this.draw();
      await this.look();
    } catch (e) {
      this.leave();
      this.problem = `${t("dash.refused")} ${(e as Error).message}`;
      this.draw();
    }
  }

  private leave(): void {
    this.token = "";
    sessionStorage.removeItem(kept);
    this.unfollow();
    this.draw();
  }

  private async look(): Promise<void> {
    await this.list();
    this.chain.wait(t("agent.loading"));
    try {
      await this.session.meet();
      this.result = await this.session.judge();
      this.chain.show(this.result);
      for (const e of this.session.known?.entries ?? []) this.tail.set(e.index, e);
      this.quote = await verifier().ask<Explanation>("explain", [await bytes(new URL("v1/evidence", this.session.base))], { at: new Date().toISOString() });
      this.unfollow();
      this.unfollow = follow(this.session, this.sink(), (why) => this.chain.fail(why));
    } catch (e) {
      this.chain.fail((e as Error).message);
    }
    this.draw();
  }

  /** sink takes new entries into the tail and into the rate. */
  private sink(): Sink {
    return { connected: () => undefined, add: (...list) => {
      for (const e of list) { this.tail.set(e.index, e); this.arrivals.push(Date.now()); }
      this.draw();
    } };
  }

  private async refresh(): Promise<void> {
    if (this.querySelector("dialog[open]") || this.contains(document.activeElement) && document.activeElement instanceof HTMLTextAreaElement) return;
    this.figures = await metrics(this.session.base, this.token).catch(() => this.figures);
    await this.list();
    this.draw();
  }

  private async list(): Promise<void> {
    const { agents } = await json<{ agents: { id: string; name: string }[] }>(new URL("agents", this.session.base), this.auth());
    const sizes = new Map((this.session.front?.agents ?? []).map((a) => [a.id, a.size]));
    this.rows = agents.map((a) => ({ id: a.id, name: a.name, running: true, size: sizes.get(a.id) }));
    for (const r of this.rows) this.stopped.delete(r.id);
    for (const [id, name] of this.stopped) this.rows.push({ id, name, running: false });
  }

  private auth(init: RequestInit = {}): RequestInit {
    return { ...init, headers: { Authorization: `Bearer ${this.token}`, ...(init.body ? { "Content-Type": "application/json" } : {}) } };
  }

  private async act(path: string, body?: object): Promise<void> {
    this.said = this.problem = "";
    try {
      await ask(new URL(path, this.session.base), this.auth({ method: "POST", body: body ? JSON.stringify(body) : undefined }));
      this.said = t("dash.done");
    } catch (e) {
      this.problem = (e as Error).message;
    }
    await this.list().catch(() => undefined);
    this.draw();
  }

  draw(): void {
    if (!this.token) { this.replaceChildren(this.head(), this.door()); return; }
    this.replaceChildren(this.head(), h("p", { role: "status", class: this.problem ? "notice error" : "sr" }, this.problem || this.said),
      this.agents(), this.numbers(), this.chain, h("div", { class: "cols" }, this.measurements(), this.certificates()), this.tailed());
  }

  private head(): HTMLElement {
    return h("div", { class: "intro head" }, h("h1", null, t("dash.title")), this.token ? h("button", { type: "button", id: "leave", class: "plain", onclick: () => this.leave() }, t("dash.leave")) : null);
  }

  private door(): HTMLElement {
    const field = h("input", { id: "token", type: "password", autocomplete: "off", required: true });
    return h("form", { class: "card door", onsubmit: (e: Event) => { e.preventDefault(); void this.enter(field.value.trim()); } },
      h("p", null, t("dash.intro")), h("label", { for: "token" }, t("dash.token")), field,
      h("div", { class: "row" }, h("button", { class: "main", id: "enter" }, t("dash.enter")), h("span", { class: "soft small" }, t("dash.token.kept"))),
      this.problem ? h("p", { class: "notice error", role: "alert" }, this.problem) : null);
  }

  private agents(): HTMLElement {
    return h("section", { class: "card" }, h("div", { class: "head" }, h("h2", null, t("dash.agents")), h("button", { type: "button", id: "start-new", onclick: () => this.character() }, t("dash.start.new"))),
      h("ul", { class: "plainlist agents" }, this.rows.map((r) => h("li", { "data-agent": r.id },
        h("span", { class: "tag", "data-o": r.running ? "passed" : "not_checked" }, t(r.running ? "dash.running" : "dash.stopped")),
        h("div", null, h("strong", null, r.name), h("code", { class: "soft hash" }, r.id)),
        h("div", { class: "row" }, r.running ? [
          h("button", { type: "button", class: "set", onclick: () => void this.edit(r) }, t("dash.character")),
          h("button", { type: "button", class: "stop", onclick: () => this.halt(r) }, t("dash.stop"))]
          : h("button", { type: "button", class: "start", onclick: () => this.character() }, t("dash.start")))))));
  }

  private halt(r: Row): void {
    if (!confirm(t("dash.stop.sure", r.name))) return;
    this.stopped.set(r.id, r.name);
    void this.act(`agents/${r.id}/stop`);
  }

  private async edit(r: Row): Promise<void> {
    const now = await json<{ character: object }>(new URL(`agents/${r.id}`, this.session.base), this.auth()).catch(() => ({ character: {} }));
    this.character(r, JSON.stringify(now.character, null, 2));
  }

  /** character opens the sheet that starts an agent, or changes one. */
  private character(r?: Row, text = ""): void {
    const field = h("textarea", { id: "character", rows: 16, spellcheck: false });
    field.value = text;
    const problem = h("p", { class: "error", role: "alert" });
    const apply = (e: Event): void => {
      e.preventDefault();
      let given: object;
      try { given = JSON.parse(field.value) as object; } catch (err) { problem.textContent = (err as Error).message; return; }
      sheet.close();
      sheet.remove();
      void (r ? this.act(`agents/${r.id}/set`, given) : this.act("agent/start", { characterJson: given }));
    };
    const sheet = h("dialog", { class: "sheet" }, h("form", { class: "ask", onsubmit: apply },
      h("h2", null, r ? `${t("dash.character")}: ${r.name}` : t("dash.start.new")), h("p", { class: "soft small" }, t("dash.character.why")),
      h("label", { for: "character" }, t("dash.character.json")), field, problem,
      h("div", { class: "row" }, h("button", { class: "main" }, t("dash.apply")), h("button", { type: "button", class: "plain", onclick: () => { sheet.close(); sheet.remove(); } }, t("cancel")))));
    this.append(sheet);
    sheet.showModal();
  }

  private numbers(): HTMLElement {
    const f = this.figures;
    const minute = this.arrivals.filter((at) => at > Date.now() - 60_000).length;
    const tile = (label: string, value: string, more?: Node): HTMLElement => h("li", null, h("span", { class: "soft small" }, label), h("strong", null, value), more ?? null);
    return h("ul", { class: "plainlist tiles" },
      tile(t("dash.platform"), this.result?.platform ?? this.session.front?.platform ?? "–"),
      tile(t("dash.tcb"), this.result?.checks.find((c) => c.id.startsWith("tcb."))?.got ?? "–", this.days()),
      tile(t("dash.rate"), t("dash.rate.unit", minute), spark(this.arrivals)),
      tile(t("dash.errors"), String(f.errors ?? 0)),
      tile(t("dash.requests"), f.requests === undefined ? "–" : f.requests.toLocaleString()),
      tile(t("dash.memory"), f.memory === undefined ? "–" : `${Math.round(f.memory / 1e6)} MB`),
      tile(t("dash.uptime"), f.started === undefined ? "–" : date(f.started * 1000)));
  }

  /** days until the first certificate or document of the chain runs out. */
  private days(): HTMLElement | undefined {
    const ends = (this.quote?.certificates ?? []).map((c) => Date.parse(c.not_after)).filter(Number.isFinite);
    if (this.quote?.expires) ends.push(Date.parse(this.quote.expires));
    if (!ends.length) return undefined;
    const left = Math.floor((Math.min(...ends) - Date.now()) / 86_400_000);
    return h("span", { class: "tag", "data-o": left < 0 ? "failed" : left < 14 ? "warning" : "passed" }, t("dash.tcb.days", left));
  }

  private measurements(): HTMLElement {
    const wanted = /^(mr_?td|rtmr\d|mr_?enclave|mr_?signer|td_?attributes)$/i;
    const list = (this.quote?.fields ?? []).filter((f) => wanted.test(f.name));
    return h("section", { class: "card" }, h("h2", null, t("dash.measurements")), h("dl", { class: "facts" }, list.map((f) => [h("dt", null, f.name), h("dd", null, copyable(f.value))])));
  }

  private certificates(): HTMLElement {
    const line = (c: Certificate): HTMLElement => h("li", null, h("strong", null, c.subject), h("span", { class: "soft small" }, `${date(c.not_before)} – ${date(c.not_after)}`));
    return h("section", { class: "card" }, h("h2", null, t("dash.certs")), h("ul", { class: "plainlist certs" }, (this.quote?.certificates ?? []).map(line)));
  }

  private tailed(): HTMLElement {
    const last = [...this.tail.values()].sort((a, b) => b.index - a.index).slice(0, 30);
    return h("section", { class: "card" }, h("h2", null, t("dash.tail")), h("ol", { class: "entries", reversed: true, tabindex: 0, "aria-label": t("dash.tail") }, last.map((e) => h("li", { class: "entry tail", "data-index": e.index, "data-o": e.outcome },
      h("span", { class: "dot" }, icon(iconOf(e.type), 18)),
      h("div", null, h("div", { class: "row small" }, h("strong", null, known("type", e.type)), h("code", { class: "soft" }, `#${e.index}`), h("time", { class: "soft" }, date(e.time))), h("p", { class: "words" }, summary(e).slice(0, 300))),
      h("span", { class: "tag", "data-o": e.outcome }, icon(e.outcome, 16), h("span", { class: "sr" }, t(`outcome.${e.outcome}`)))))));
  }
}

/** spark draws the last ten minutes, one bar a minute. */
function spark(arrivals: number[]): SVGElement {
  const bars = Array.from({ length: 10 }, (_, i) => arrivals.filter((at) => Math.floor((Date.now() - at) / 60_000) === 9 - i).length);
  const top = Math.max(1, ...bars);
  return s("svg", { viewBox: "0 0 100 24", class: "spark", "aria-hidden": "true", preserveAspectRatio: "none" }, bars.map((n, i) => s("rect", { x: i * 10 + 1, width: 8, y: 24 - (22 * n) / top - 1, height: (22 * n) / top + 1, rx: 1.5 })));
}

define("tp-dashboard", Dashboard);
shell();
