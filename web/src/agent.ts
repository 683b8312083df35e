// The agent page: who this agent is, checked here, and its log as it grows.
import "./elements/chain";
import "./elements/graph";
import "./elements/log";
import type { Chain } from "./elements/chain";
import { chooser } from "./elements/choose";
import { copyable } from "./elements/copy";
import type { Graph } from "./elements/graph";
import type { Log } from "./elements/log";
import { wallets } from "./elements/wallets";
import { define, Element } from "./element";
import { h, renew } from "./dom";
import { family } from "./entry";
import { date, t } from "./i18n";
import { follow } from "./live";
import type { AgentResult, Result } from "./result";
import { Session } from "./session";
import { shell } from "./shell";
import { verifier } from "./verifier";

class AgentPage extends Element {
  private session = new Session(new URL("/", location.href));
  private who = h("div", { class: "intro who" });
  private notes = h("div", { class: "stack" });
  private side = h("div", { class: "cols" });
  private foot = h("div", { class: "stack" });
  private chain = h("tp-chain") as Chain;
  private log = h("tp-log") as Log;
  private graph = h("tp-graph") as Graph;
  private result: Result | null = null;
  private stop: () => void = () => undefined;

  connectedCallback(): void {
    super.connectedCallback();
    this.log.onwhy = (i) => { this.graph.show(family(this.log.entries, i), i); this.graph.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" }); };
    this.graph.onpick = (i) => this.graph.show(family(this.log.entries, i), i);
    this.graph.href = (i) => this.session.agent?.url(`entries/${i}`).href ?? "";
    this.log.ongrow = (size) => this.querySelector("#size")?.replaceChildren(size.toLocaleString());
    void this.start();
  }

  disconnectedCallback(): void { super.disconnectedCallback(); this.stop(); }

  private async start(): Promise<void> {
    this.stop();
    this.chain.wait(t("agent.loading"));
    try {
      await this.session.meet(new URLSearchParams(location.search).get("agent") ?? undefined);
      this.draw();
      const long = (this.session.row?.size ?? 0) > 400;
      await this.judge(long ? this.session.row!.size! - 200 : 0);
      if (long) await this.judge(0); // the first look proved the newest entries in their place; now every one of them
      if (this.session.known?.state) this.stop = follow(this.session, this.log, (why) => this.chain.fail(why));
    } catch (e) {
      this.chain.fail(t("agent.unreachable", (e as Error).message));
    }
  }

  /** judge shows a verdict and the entries it was reached on. */
  private async judge(from: number): Promise<void> {
    verifier().onprogress = (done, total) => { if (total > 1000) this.log.say(t("log.progress", done.toLocaleString(), total.toLocaleString())); };
    this.result = await this.session.judge(from);
    verifier().onprogress = () => undefined;
    this.log.say("");
    this.chain.show(this.result);
    this.log.add(...(this.session.known?.entries ?? []));
    this.draw();
    document.documentElement.dataset.verdict ??= String(Math.round(performance.now()));
    document.documentElement.dataset.scope = from ? "part" : "whole";
  }

  draw(): void {
    const s = this.session;
    const known = this.result?.agents?.find((a) => a.id === s.row?.id);
    renew(this.who, portrait(known?.log_key ?? ""), h("div", null, h("h1", null, s.row?.name ?? t("agent.title")), s.row ? h("p", { class: "hash" }, h("code", null, s.row.id)) : null), ...this.choose());
    renew(this.notes, ...this.forgetting());
    renew(this.side, this.facts(known), wallets(known && (known.wallets ?? []), this.result?.simulated ?? false));
    renew(this.foot, ...this.downloads());
    // Parts that keep what the reader has opened or focused are put in once and never moved.
    if (!this.chain.isConnected) this.replaceChildren(this.who, this.chain, this.notes, this.side, this.log, this.graph, this.foot);
  }

  /** forgetting is offered where this browser remembers another log than the one that is here. */
  private forgetting(): HTMLElement[] {
    if (!this.result?.checks.some((c) => c.id === "rollback.memory" && c.outcome === "failed")) return [];
    return [h("p", { class: "notice" }, t("memory.why"), " ", h("button", { type: "button", id: "forget", onclick: () => { this.session.forget(); void this.start(); } }, t("memory.forget")))];
  }

  /** choose appears when several agents live here. */
  private choose(): HTMLElement[] {
    const all = this.session.front?.agents ?? [];
    if (all.length < 2) return [];
    return [chooser(all, this.session.row?.id)];
  }

  private facts(a: AgentResult | undefined): HTMLElement {
    const boot = this.session.known?.boot;
    const rows: [string, Node | string | undefined][] = [
      [t("agent.platform"), this.result?.platform], [t("agent.version"), boot ? `${boot.software} ${boot.version}` : undefined],
      [t("agent.started"), boot ? date(boot.time) : undefined], [t("agent.size"), a && h("span", { id: "size" }, a.size.toLocaleString())],
      [t("agent.origin"), a && copyable(a.origin)], [t("agent.key"), a && copyable(a.log_key)],
      [t("agent.character"), a?.character_sha256 && copyable(a.character_sha256)],
    ];
    return h("section", { class: "card" }, h("h2", null, t("agent.title")),
      h("dl", { class: "facts" }, rows.filter(([, v]) => v).map(([k, v]) => [h("dt", null, k), h("dd", null, v as Node | string)])));
  }

  private downloads(): HTMLElement[] {
    const a = this.session.agent;
    if (!a) return [];
    const link = (label: string, url: URL, name: string): HTMLElement => h("li", null, h("a", { class: "button", href: url.href, download: name }, label));
    return [h("section", { class: "card" }, h("h2", null, t("downloads.title")),
      h("ul", { class: "plainlist row" }, link(t("downloads.bundle"), a.url("bundle"), "agent.bundle"), link(t("downloads.evidence"), new URL("/v1/evidence", a.base), "evidence.json"), link(t("downloads.checkpoint"), a.url("checkpoint"), "checkpoint.txt")),
      h("p", { class: "small soft" }, t("downloads.cli")), copyable(`teapot verify ${a.base.origin}${this.result?.simulated ? " --allow-simulated" : ""}`))];
  }
}

/** still: the reader asked for less motion. */
const still = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** portrait is a picture made of the agent's key: another key, another face. */
function portrait(key: string): HTMLElement {
  const face = h("div", { class: "portrait", "aria-hidden": "true" });
  for (let i = 0; i < 15; i++) {
    const on = key ? parseInt(key.slice(i * 2, i * 2 + 2), 16) % 2 === 1 : false;
    for (const x of new Set([i % 3, 4 - (i % 3)])) if (on) {
      const cell = h("span");
      cell.style.gridArea = `${Math.floor(i / 3) + 1} / ${x + 1}`;
      face.append(cell);
    }
  }
  if (key) face.style.setProperty("--hue", String(parseInt(key.slice(30, 34), 16) % 360));
  return face;
}

define("tp-agent", AgentPage);
shell();
