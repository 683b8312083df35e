// One reader's session with one agent: evidence bound to this page's nonce and, where the browser can, to a sealed channel.
// Everything fetched here goes to the verifier; the outcome is its, and so are the keys that come out of it.
import { Agent, ask, bytes, front, type AgentRow, type Front } from "./api";
import type { Entry } from "./entry";
import { nonce, sha256 } from "./input";
import { forget, remember, remembered, type Seen } from "./memory";
import type { Result } from "./result";
import { canSeal, post, usable, type SealKey } from "./seal";
import { fromBase64, verifier } from "./verifier";

export interface BootFacts { id: string; time: number; software: string; version: string; platform: string }

interface WireKey { id: number; kem: number; kdf: number; aead: number; public: string }
interface Judged { result: Result; hpke: WireKey[]; boot: BootFacts | null; entries: Entry[]; state?: object; seen: Seen[] }

/** Known is what came out of a judgement; state is what later entries hang on. */
export interface Known { result: Result; hpke: SealKey[]; boot: BootFacts | null; entries: Entry[]; state?: object }

export type Protection = { sealed: true; key: SealKey; simulated: boolean } | { sealed: false; why: "nokey" | "context" | "verdict" };

export class Session {
  front?: Front;
  agent?: Agent;
  row?: AgentRow;
  known: Known | null = null;

  constructor(readonly base: URL, private extra: { allow_simulated?: boolean; policy?: string; at?: string } = { allow_simulated: true }) {}

  /** meet asks who is there; with no id, the first agent. */
  async meet(id?: string): Promise<AgentRow> {
    this.front = await front(this.base);
    const row = this.front.agents.find((a) => a.id === id) ?? this.front.agents[0];
    if (!row) throw new Error("no agent here");
    this.row = row;
    this.agent = new Agent(this.base, row.id);
    return row;
  }

  /** judge fetches evidence and the log (its entries from an index on; what lies before is proven by hashes). */
  async judge(from = 0): Promise<Result> {
    const row = this.row ?? (await this.meet());
    const n = nonce();
    const [boot, log] = await Promise.all([bytes(new URL("v1/evidence", this.base)), bytes(this.agent!.url("bundle", { from: from || undefined }), this.auth())]);
    const session = await this.proof(boot, n);
    const judged = await verifier().ask<Judged>("judge", [boot, session.body, log], {
      at: new Date().toISOString(), ...this.extra, target: this.base.origin, nonce: n, channel: session.channel,
      agent: row.id, from, loopback: loopback(this.base), secure: this.base.protocol === "https:", seen: remembered(this.base.origin),
    });
    remember(this.base.origin, judged.seen);
    this.known = { ...judged, hpke: judged.hpke.map((k) => ({ ...k, public: fromBase64(k.public) })) };
    return judged.result;
  }

  /** auth adds the operator's token where this tab has one: then the operator's own contents are shown too. */
  auth(init: RequestInit = {}): RequestInit {
    const token = this.base.origin === location.origin ? tabToken() : "";
    return token ? { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } } : init;
  }

  forget(): void { forget(this.base.origin); }

  /** proof asks for a session statement, sealed where possible: then the statement is bound to the sealed channel, and
      the verifier judges key and statement together. */
  private async proof(boot: Uint8Array, n: string): Promise<{ body: Uint8Array; channel?: object }> {
    const url = new URL("v1/session", this.base);
    const keys = await verifier().ask<WireKey[]>("keys", [boot]).catch(() => []);
    const key = keys.map((k) => ({ ...k, public: fromBase64(k.public) })).find(usable);
    if (key && (await canSeal())) {
      const asked = new TextEncoder().encode(JSON.stringify({ nonce: n, channel: "hpke" }));
      const { response, enc } = await post(url, asked, key, { "Content-Type": "application/json" });
      if (response.ok) return { body: new Uint8Array(await response.arrayBuffer()), channel: { hpke_key: key.id, hpke_enc: await sha256(enc) } };
    }
    return { body: await plain(url, n) };
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

/** tabToken is the token that the dashboard keeps in this tab. */
function tabToken(): string {
  try { return sessionStorage.getItem("teapot.token") ?? ""; } catch { return ""; }
}

export function loopback(u: URL): boolean { return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(u.hostname); }
