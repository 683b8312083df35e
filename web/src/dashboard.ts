// The operator's dashboard. The token stays in this tab; what it shows about the platform is judged here like anywhere else.
import "./elements/chain";
import { ask, bytes, json, Problem } from "./api";
import type { Chain } from "./elements/chain";
import { sheet } from "./elements/sheet";
import { tail } from "./elements/tail";
import type { Entry } from "./entry";
import { define, Element } from "./element";
import { h, renew } from "./dom";
import { figures, Rate, type Figures } from "./figures";
import { t } from "./i18n";
import { follow, type Sink } from "./live";
import { certificates, measurements, tiles } from "./platform";
import type { Explanation } from "./quote";
import type { Result } from "./result";
import { Session } from "./session";
import { shell } from "./shell";
import { verifier } from "./verifier";

interface Row { id: string; name: string; running: boolean; size?: number }

const kept = "teapot.token";
const newest = 200; // entries of a long log that are looked at one by one; what lies before is proven by hashes

class Dashboard extends Element {
  private token = sessionStorage.getItem(kept) ?? "";
  private base = new URL("/", location.href);
  private session = new Session(this.base);
  private rows: Row[] = [];
  private last = new Map<string, object>(); // characters of agents that were stopped from this tab
  private quote: Explanation | null = null;
  private result: Result | null = null;
  private entries = new Map<number, Entry>();
  private figures: Figures = { sizes: new Map() };
  private rate = new Rate();
  private asked = 0;
  private said = "";
  private problem = "";
  private unfollow: () => void = () => undefined;

  // Put in once and never moved: what the reader has focused, and what a screen reader listens to, stays.
  private head = h("div", { class: "intro head" });
  private note = h("p", { role: "status", id: "said" });
  private list = h("section", { class: "card" });
  private numbers = h("ul", { class: "plainlist tiles" });
  private chain = h("tp-chain") as Chain;
  private inside = h("div", { class: "cols" });
  private tail = h("section", { class: "card" });
  private tailed = h("ol", { class: "entries", reversed: true, tabindex: 0 });
  private door = h("form", { class: "card door", onsubmit: (e: Event) => { e.preventDefault(); void this.enter(this.field.value.trim()); } });
  private field = h("input", { id: "token", type: "password", autocomplete: "off", required: true, "aria-describedby": "refused" });

  connectedCallback(): void {
    super.connectedCallback();
    if (this.token) void this.enter(this.token);
    setInterval(() => { if (this.token && !document.hidden) void this.refresh(); }, 5000);
  }

  disconnectedCallback(): void { super.disconnectedCallback(); this.unfollow(); }

  /** enter tries the token on a route that needs it; a refused token is forgotten. */
  private async enter(token: string): Promise<void> {
    this.problem = this.said = "";
    try {
      this.take(await figures(this.base, token));
      this.token = token;
      this.field.value = "";
      sessionStorage.setItem(kept, token);
      await this.agents();
      const knocked = this.door.contains(document.activeElement);
      this.draw();
      if (knocked) document.getElementById("main")?.focus(); // the field is gone
      await this.look(this.wanted());
    } catch (e) {
      this.leave(why(e));
    }
  }

  private leave(problem = ""): void {
    this.token = "";
    this.problem = problem;
    this.said = "";
    sessionStorage.removeItem(kept);
    this.unfollow();
    this.asked++;
    this.draw();
    this.field.focus();
  }

  /** wanted is the agent in the page's address, else the first. */
  private wanted(): string | undefined {
    const id = new URLSearchParams(location.search).get("agent");
    return (this.rows.find((r) => r.id === id) ?? this.rows[0])?.id;
  }

  /** look judges one agent and goes on with its log. */
  private async look(id: string | undefined): Promise<void> {
    const mine = ++this.asked;
    this.unfollow();
    this.entries.clear();
    this.result = null;
    const session = (this.session = new Session(this.base));
    if (!id) { this.chain.clear(); this.draw(); return; }
    this.chain.wait(t("agent.loading"));
    try {
      const row = await session.meet(id);
      this.draw();
      const result = await session.judge(Math.max(0, (row.size ?? 0) - newest));
      const quote = await verifier().ask<Explanation>("explain", [await bytes(new URL("v1/evidence", this.base))], { at: new Date().toISOString() });
      if (mine !== this.asked) return;
      this.result = result;
      this.quote = quote;
      this.chain.show(result);
      for (const e of session.known?.entries ?? []) this.entries.set(e.index, e);
      this.unfollow = follow(session, this.sink(mine), (broken) => { if (mine === this.asked) this.chain.fail(broken); });
    } catch (e) {
      if (mine === this.asked) this.chain.fail((e as Error).message);
    }
    this.draw();
  }

  private sink(mine: number): Sink {
    return { connected: () => undefined, add: (...list) => {
      if (mine !== this.asked) return;
      for (const e of list) this.entries.set(e.index, e);
      this.draw();
    } };
  }

  private async refresh(): Promise<void> {
    try {
      this.take(await figures(this.base, this.token));
      await this.agents();
    } catch (e) {
      if (e instanceof Problem && e.status === 401) { this.leave(why(e)); return; }
    }
    this.draw();
  }

  private take(f: Figures): void { this.figures = f; this.rate.take(f.sizes); }

  /** agents: who runs, and who has a log here and does not run. */
  private async agents(): Promise<void> {
    const running = await json<{ agents: { id: string; name: string }[] }>(new URL("agents", this.base), this.auth());
    const there = await json<{ agents: Row[] }>(new URL("v1/", this.base));
    const rows = new Map(there.agents.map((a) => [a.id, { id: a.id, name: a.name, size: a.size, running: false }]));
    for (const a of running.agents) rows.set(a.id, { ...rows.get(a.id), id: a.id, name: a.name, running: true, size: rows.get(a.id)?.size });
    this.rows = [...rows.values()];
  }

  private auth(init: RequestInit = {}): RequestInit {
    return { ...init, headers: { Authorization: `Bearer ${this.token}`, ...(init.body ? { "Content-Type": "application/json" } : {}) } };
  }

  /** act changes an agent, says what came of it, and looks again: a changed agent has a new boot statement. It returns what
      went wrong, "" for nothing. */
  private async act(done: string, path: string, id?: string, body?: object): Promise<string> {
    this.problem = "";
    this.said = t("dash.working");
    this.draw();
    try {
      const response = await ask(new URL(path, this.base), this.auth({ method: "POST", body: body ? JSON.stringify(body) : undefined }));
      const answer = (await response.json().catch(() => ({}))) as { id?: string };
      this.said = done;
      await this.agents();
      void this.look(answer.id ?? id);
    } catch (e) {
      this.said = "";
      if (e instanceof Problem && e.status === 401) { this.leave(why(e)); return ""; }
      this.problem = (e as Error).message;
    }
    this.draw();
    return this.problem;
  }

  draw(): void {
    renew(this.head, h("h1", null, t("dash.title")), this.token ? h("button", { type: "button", id: "leave", class: "plain", onclick: () => this.leave() }, t("dash.leave")) : null);
    if (!this.token) { this.knock(); return; }
    this.note.className = this.problem ? "notice error" : this.said ? "notice" : "sr";
    const heard = this.problem || this.said;
    if (this.note.textContent !== heard) this.note.textContent = heard;
    renew(this.list, h("div", { class: "head", "data-key": "head" }, h("h2", null, t("dash.agents")), h("button", { type: "button", id: "start-new", onclick: () => this.begin() }, t("dash.start.new"))),
      h("ul", { class: "plainlist agents", "data-key": "agents" }, this.rows.map((r) => this.row(r))));
    renew(this.numbers, tiles(this.result, this.session.front?.platform, this.figures, this.rate, this.quote));
    renew(this.inside, measurements(this.quote), certificates(this.quote));
    const name = this.rows.find((r) => r.id === this.session.row?.id)?.name;
    renew(this.tailed, tail(this.entries.values()));
    this.tailed.setAttribute("aria-label", t("dash.tail"));
    if (!this.tailed.isConnected) this.tail.replaceChildren(h("h2"), this.tailed);
    this.tail.firstElementChild!.textContent = [t("dash.tail"), this.rows.length > 1 ? name : ""].filter(Boolean).join(": ");
    if (!this.list.isConnected) this.replaceChildren(this.head, this.note, this.list, this.numbers, this.chain, this.inside, this.tail);
  }

  /** knock asks for the token. */
  private knock(): void {
    renew(this.door, h("p", null, t("dash.intro")), h("label", { for: "token" }, t("dash.token")), h("span", { "data-key": "field", class: "slot" }),
      h("div", { class: "row" }, h("button", { class: "main", id: "enter" }, t("dash.enter")), h("span", { class: "soft small" }, t("dash.token.kept"))),
      h("p", { class: this.problem ? "notice error" : "sr", role: "alert", id: "refused" }, this.problem));
    const slot = this.door.querySelector(".slot")!;
    slot.replaceWith(this.field);
    this.field.toggleAttribute("aria-invalid", this.problem !== "");
    this.replaceChildren(this.head, this.door);
  }

  private row(r: Row): HTMLElement {
    const chosen = r.id === this.session.row?.id;
    return h("li", { "data-agent": r.id, "data-key": r.id, "data-running": String(r.running), class: chosen ? "chosen" : "" },
      h("span", { class: "tag", "data-o": r.running ? "passed" : "not_checked" }, t(r.running ? "dash.running" : "dash.stopped")),
      h("div", null, h("button", { type: "button", class: "plain pick", "aria-pressed": String(chosen), title: t("dash.show", r.name), onclick: () => void this.look(r.id) }, h("strong", null, r.name),
        r.size === undefined ? null : h("span", { class: "soft small" }, t("dash.entries", r.size.toLocaleString()))), h("code", { class: "soft hash" }, r.id)),
      h("div", { class: "row" }, r.running ? [
        h("button", { type: "button", class: "set", onclick: () => void this.edit(r) }, t("dash.character"), h("span", { class: "sr" }, ` ${r.name}`)),
        h("button", { type: "button", class: "stop", onclick: () => void this.halt(r) }, t("dash.stop"), h("span", { class: "sr" }, ` ${r.name}`))]
        : h("button", { type: "button", class: "start", onclick: () => this.begin(r) }, t("dash.start"), h("span", { class: "sr" }, ` ${r.name}`))));
  }

  /** character is what an agent runs with, without its secrets. */
  private async character(r: Row): Promise<object> {
    return (await json<{ character: object }>(new URL(`agents/${r.id}`, this.base), this.auth())).character;
  }

  private async halt(r: Row): Promise<void> {
    if (!confirm(t("dash.stop.sure", r.name))) return;
    await this.character(r).then((c) => this.last.set(r.id, c), () => undefined); // to start it again from here
    await this.act(t("dash.done.stop", r.name), `agents/${r.id}/stop`, r.id);
  }

  private async edit(r: Row): Promise<void> {
    const now = await this.character(r).catch(() => ({}));
    sheet(this, `${t("dash.character")}: ${r.name}`, JSON.stringify(now, null, 2), (given) => this.act(t("dash.done.set", r.name), `agents/${r.id}/set`, r.id, given));
  }

  private begin(r?: Row): void {
    const before = r && this.last.get(r.id);
    sheet(this, r ? `${t("dash.start")}: ${r.name}` : t("dash.start.new"), before ? JSON.stringify(before, null, 2) : "",
      (given) => this.act(t("dash.done.start"), "agent/start", undefined, { characterJson: given }));
  }
}

/** why a token was not taken: refused is one thing, unreachable another. */
function why(e: unknown): string {
  const refused = e instanceof Problem && (e.status === 401 || e.status === 403);
  return refused ? t("dash.refused") : t("dash.unreachable", (e as Error).message);
}

define("tp-dashboard", Dashboard);
shell();
