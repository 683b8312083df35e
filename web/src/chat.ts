// The chat page: each answer with a shield that opens its receipt's chain; messages sealed to the attested key where possible.
import "./elements/chain";
import { bytes } from "./api";
import type { Chain } from "./elements/chain";
import { spinner } from "./elements/chain";
import { define, Element } from "./element";
import { h, renew, save } from "./dom";
import { icon } from "./icons";
import { t, type Key } from "./i18n";
import { chooser } from "./elements/choose";
import { nonce } from "./input";
import type { Result } from "./result";
import { exchange, type Reply } from "./say";
import { loopback, Session, type Protection } from "./session";
import { shell } from "./shell";
import { verifier } from "./verifier";

type Shield = "pending" | "passed" | "simulated" | "warning" | "failed" | "none";

interface Turn { mine: boolean; text: string; shield?: Shield; receipt?: Uint8Array; result?: Result; problem?: string; done: boolean }

class ChatPage extends Element {
  private session = new Session(new URL("/", location.href));
  private protection: Protection = { sealed: false, why: "verdict" };
  private judged = false;
  private problem = "";
  private turns: Turn[] = [];
  private busy = false;
  private list = h("ol", { class: "turns", "aria-live": "polite", "aria-relevant": "additions text" });
  private field = h("textarea", { id: "message", rows: 2, maxlength: 8000 });
  private dialog = h("dialog", { class: "sheet" });
  // Put in once and never moved: what the reader types, and what a screen reader listens to, stays where it is.
  private intro = h("div", { class: "intro" });
  private note = h("p", { class: "seal", role: "status" });
  private label = h("label", { class: "sr", for: "message" });
  private submit = h("button", { class: "main" });
  private form = h("form", { class: "composer", onsubmit: (e: Event) => { e.preventDefault(); void this.send(); } }, this.label, this.field, this.submit);
  private limits = h("p", { class: "soft small" });
  private room = nonce(16);

  connectedCallback(): void {
    super.connectedCallback();
    this.field.addEventListener("keydown", (e) => { if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); void this.send(); } });
    void this.start();
  }

  private async start(): Promise<void> {
    try {
      await this.session.meet(new URLSearchParams(location.search).get("agent") ?? undefined);
      this.draw();
      await this.session.judge();
      this.protection = await this.session.protection();
    } catch (e) {
      this.problem = (e as Error).message;
    }
    this.judged = true;
    this.draw();
  }

  draw(): void {
    this.field.placeholder = this.label.textContent = t("chat.placeholder");
    this.submit.disabled = this.busy || !this.session.row;
    renew(this.submit, icon("send", 18), h("span", null, t("chat.send")));
    renew(this.intro, h("h1", null, this.session.row?.name ?? t("title.chat")), h("p", null, t("chat.intro")), this.choose());
    this.limits.textContent = t("chat.receipt.proves");
    this.seal();
    if (!this.note.isConnected) this.replaceChildren(this.intro, this.note, h("section", { class: "card room" }, this.list, this.form, this.limits), this.dialog);
    this.talk();
  }

  /** choose appears when several agents live here. */
  private choose(): HTMLElement | null {
    const all = this.session.front?.agents ?? [];
    return all.length < 2 ? null : chooser(all, this.session.row?.id);
  }

  /** seal says which protection is in force, and why. */
  private seal(): void {
    const p = this.protection;
    const state = p.sealed ? (p.simulated ? "sim" : "on") : "off";
    const channel = location.protocol === "https:" ? "seal.off.tls" : loopback(new URL(location.href)) ? "seal.off.loopback" : "seal.off.plain";
    const why = p.sealed ? t(`seal.${state}.why` as Key) : `${t(channel)} ${t(`seal.why.${p.why}`)}`;
    if (!this.judged) { renew(this.note, spinner(), t("agent.loading")); return; }
    this.note.dataset.seal = state;
    renew(this.note, icon(p.sealed ? "lock" : "unlock", 22), h("span", null, h("strong", null, t(`seal.${state}` as Key)), " ", why, this.problem ? h("span", { class: "error" }, ` ${this.problem}`) : null));
  }

  private talk(): void {
    this.list.setAttribute("aria-busy", String(this.busy && !this.turns.at(-1)?.done)); // a streamed answer is read when it is whole
    renew(this.list, this.turns.length ? this.turns.map((turn, i) => this.turn(turn, i)) : h("li", { class: "soft empty", "data-key": "none" }, t("chat.empty")));
    this.list.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  private turn(turn: Turn, at: number): HTMLElement {
    const name = turn.mine ? t("chat.you") : this.session.row?.name ?? "";
    return h("li", { class: turn.mine ? "turn mine" : "turn", "data-key": at }, h("span", { class: "sr" }, `${name}: `),
      h("div", { class: "bubble" }, turn.text || (turn.done ? "" : h("span", { class: "soft" }, t("chat.thinking", name))), turn.problem ? h("p", { class: "error" }, turn.problem) : null),
      turn.shield ? this.shield(turn, turn.shield) : null);
  }

  private shield(turn: Turn, state: Shield): HTMLElement {
    const shape = { pending: "pending", passed: "passed", simulated: "passed", warning: "warning", failed: "failed", none: "not_checked" } as const;
    const outcome = { pending: "not_checked", passed: "passed", simulated: "passed", warning: "warning", failed: "failed", none: "not_checked" } as const;
    return h("div", { class: "row shields" },
      h("button", { type: "button", class: `tag shield ${state === "simulated" ? "sim" : ""}`, "data-o": outcome[state], "data-shield": state, disabled: !turn.result && !turn.problem, onclick: () => this.reveal(turn) }, icon(shape[state], 16), t(`chat.shield.${state}`)),
      turn.receipt ? h("button", { type: "button", class: "plain tiny keep", onclick: () => save("receipt.teapot.json", turn.receipt as BlobPart, "application/json") }, icon("save", 16), t("chat.receipt.save")) : null);
  }

  private reveal(turn: Turn): void {
    const chain = h("tp-chain") as Chain;
    this.dialog.replaceChildren(h("div", { class: "head" }, h("h2", null, t("chat.receipt")), h("button", { type: "button", class: "plain", onclick: () => this.dialog.close() }, t("close"))), chain);
    this.dialog.showModal();
    if (turn.result) chain.show(turn.result);
    else chain.fail(turn.problem ?? t("chat.shield.none"));
  }

  private async send(): Promise<void> {
    const text = this.field.value.trim();
    if (!text || this.busy || !this.session.row) return;
    this.field.value = "";
    this.busy = true;
    const reply: Turn = { mine: false, text: "", done: false };
    this.turns.push({ mine: true, text, done: true }, reply);
    this.draw();
    try {
      const answer = await exchange(this.session, this.protection, { text, roomId: this.room, userId: reader(), userName: "Reader" }, (part) => { reply.text = part; this.talk(); });
      Object.assign(reply, { text: answer.text, done: true, shield: "pending" });
      this.talk();
      await this.check(reply, answer, text);
    } catch (e) {
      Object.assign(reply, { done: true, problem: t("chat.failed", (e as Error).message) });
    }
    this.busy = false;
    this.draw();
    this.field.focus();
  }

  /** check judges the receipt's file form like any stranger would, and compares its texts with what stands on the screen. */
  private async check(turn: Turn, answer: Reply, sent: string): Promise<void> {
    if (!answer.receipt) { turn.shield = "none"; return; }
    try {
      turn.receipt = await bytes(answer.receipt.url, { headers: { "Teapot-Receipt-Secret": answer.receipt.secret } });
      turn.result = await verifier().ask<Result>("receipt", [turn.receipt], { at: new Date().toISOString(), allow_simulated: true, message: sent, reply: answer.text });
      turn.shield = turn.result.tier === "contraindicated" || turn.result.exit !== 0 ? "failed" : turn.result.simulated ? "simulated" : turn.result.tier === "affirming" ? "passed" : "warning";
    } catch (e) {
      turn.shield = "failed";
      turn.problem = (e as Error).message;
    }
  }
}

/** reader is a random name for this browser; the log keeps only its pseudonym. */
function reader(): string {
  const fresh = nonce(16);
  try {
    const known = localStorage.getItem("teapot.reader") ?? fresh;
    localStorage.setItem("teapot.reader", known);
    return known;
  } catch { return fresh; }
}

define("tp-chat", ChatPage);
shell();
