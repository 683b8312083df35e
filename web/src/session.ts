// One reader's session with one agent: evidence bound to this page's nonce and, where the browser can, to a sealed channel.
// Everything fetched here goes to the verifier; the outcome is its, and so are the keys that come out of it.
import { Agent, ask, bytes, front, type AgentRow, type Front } from "./api";
import type { Entry } from "./entry";
import { nonce } from "./input";
import type { Result } from "./result";
import { canSeal, post, usable, type SealKey, type Sent } from "./seal";
import { fromBase64, verifier } from "./verifier";

/** Anchor is what later entries and receipts hang on: an accepted state of the log, held by the verifier as text. */
export interface Known { result: Result; hpke: SealKey[]; boot?: BootFacts; entries: Entry[]; anchor: string }

export interface BootFacts { boot_id: string; time: string; software: string; version: string; platform: string; custody?: Record<string, unknown> }

interface Judged { result: Result; hpke?: { id: number; kem: number; kdf: number; aead: number; public: string }[]; boot?: BootFacts; entries?: Entry[]; anchor?: string }

export type Protection = { sealed: true; key: SealKey; simulated: boolean } | { sealed: false; why: "nokey" | "unbound" | "context" | "verdict" };

export class Session {
  front!: Front;
  agent!: Agent;
  row!: AgentRow;
  known: Known | null = null;

  constructor(readonly base: URL, private allowSimulated = true) {}

  /** meet asks who is there; with no id, the first agent. */
  async meet(id?: string): Promise<void> {
    this.front = await front(this.base);
    const row = this.front.agents.find((a) => a.id === id) ?? this.front.agents[0];
    if (!row) throw new Error("no agent here");
    this.row = row;
    this.agent = new Agent(this.base, row.id);
  }

  /** judge fetches evidence and the log from an index on, and has them judged together with a fresh session statement. */
  async judge(from = 0): Promise<Result> {
    const n = nonce();
    const boot = await bytes(new URL("v1/evidence", this.base));
    const [session, log] = await Promise.all([this.proof(boot, n), this.agent.bundle({ from: from || undefined })]);
    const judged = await verifier().ask<Judged>("judge", [boot, session.body, log.body], {
      at: new Date().toISOString(), allow_simulated: this.allowSimulated, target: this.base.href, nonce: n, channel: session.channel,
      agent: this.row.id, name: this.row.name, from, loopback: loopback(this.base), secure: this.base.protocol === "https:",
    });
    this.known = {
      result: judged.result, boot: judged.boot, entries: judged.entries ?? [], anchor: judged.anchor ?? "",
      hpke: (judged.hpke ?? []).map((k) => ({ ...k, public: fromBase64(k.public) })),
    };
    return judged.result;
  }

  /** proof asks for a session statement, through a sealed channel where there is one. The key may still be the network's: the verifier says. */
  private async proof(boot: Uint8Array, n: string): Promise<{ body: Uint8Array; channel?: object }> {
    const url = new URL("v1/session", this.base);
    const keys = await verifier().ask<{ hpke: { id: number; kem: number; kdf: number; aead: number; public: string }[] }>("keys", [boot]).catch(() => ({ hpke: [] }));
    const key = keys.hpke.map((k) => ({ ...k, public: fromBase64(k.public) })).find(usable);
    if (!key || !(await canSeal())) return { body: await plain(url, n) };
    const body = new TextEncoder().encode(JSON.stringify({ nonce: n, channel: "hpke" }));
    const sent: Sent = await post(url, body, key, { "Content-Type": "application/json" });
    if (!sent.response.ok) return { body: await plain(url, n) };
    return { body: new Uint8Array(await sent.response.arrayBuffer()), channel: { kind: "hpke", hpke_key_id: key.id, enc: [...sent.enc] } };
  }

  /** protection of what is typed here: sealed only to a key of an accepted boot statement. */
  async protection(): Promise<Protection> {
    const k = this.known;
    if (!k || k.result.exit !== 0) return { sealed: false, why: "verdict" };
    const key = k.hpke.find(usable);
    if (!key) return { sealed: false, why: "nokey" };
    if (!(await canSeal())) return { sealed: false, why: "context" };
    return { sealed: true, key, simulated: k.result.simulated };
  }
}

async function plain(url: URL, n: string): Promise<Uint8Array> {
  const answer = await ask(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ nonce: n, channel: "none" }) });
  return new Uint8Array(await answer.arrayBuffer());
}

export function loopback(u: URL): boolean { return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(u.hostname); }
