// The chat page: each answer with a shield that opens its receipt's chain; messages sealed to the attested key where possible.
import "./elements/chain";
import { bytes } from "./api";
import type { Chain } from "./elements/chain";
import { spinner } from "./elements/chain";
import { define, Element } from "./element";
import { h, save } from "./dom";
import { icon } from "./icons";
import { t, type Key } from "./i18n";
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
    const name = this.session.row?.name ?? t("title.chat");
    const label = h("label", { class: "sr", for: "message" }, t("chat.placeholder"));
    this.field.placeholder = t("chat.placeholder");
    const form = h("form", { class: "composer", onsubmit: (e: Event) => { e.preventDefault(); void this.send(); } }, label, this.field,
      h("button", { class: "main", disabled: this.busy || !this.session.row }, icon("send", 18), h("span", null, t("chat.send"))));
    this.replaceChildren(h("div", { class: "intro" }, h("h1", null, name), h("p", null, t("chat.intro"))), this.seal(),
      h("section", { class: "card room" }, this.list, form, h("p", { class: "soft small" }, t("chat.receipt.proves"))), this.dialog);
    this.talk();
  }

  /** seal says which protection is in force, and why. */
  private seal(): HTMLElement {
    if (!this.judged) return h("p", { class: "seal", role: "status" }, spinner(), t("agent.loading"));
    const p = this.protection;
    const on = p.sealed;
    const name = on ? (p.simulated ? "seal.sim" : "seal.on") : "seal.off";
    const channel = location.protocol === "https:" ? "seal.off.tls" : loopback(new URL(location.href)) ? "seal.off.loopback" : "seal.off.plain";
    const why = p.sealed ? t(`${name}.why` as Key) : `${t(channel)} ${t(`seal.why.${p.why}`)}`;
    const state = on ? (p.simulated ? "sim" : "on") : "off";
    return h("p", { class: "seal", "data-seal": state, role: "status" }, icon(on ? "lock" : "unlock", 22), h("span", null, h("strong", null, t(name as Key)), " ", why, this.problem ? h("span", { class: "error" }, ` ${this.problem}`) : null));
  }

  private talk(): void {
    this.list.replaceChildren(...(this.turns.length ? this.turns.map((turn) => this.turn(turn)) : [h("li", { class: "soft empty" }, t("chat.empty"))]));
    this.list.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  private turn(turn: Turn): HTMLElement {
    const name = turn.mine ? t("chat.you") : this.session.row?.name ?? "";
    return h("li", { class: turn.mine ? "turn mine" : "turn" }, h("span", { class: "sr" }, `${name}: `),
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
