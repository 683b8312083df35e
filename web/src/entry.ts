// One entry of a log as the verifier decoded it from its leaf (op "entry"). What a server's JSON says about it is not used.
import type { Outcome } from "./result";

export interface Entry {
  index: number; type: string; kseq: number; boot: number; time: string; clamped?: boolean;
  room?: string; user?: string; speaker?: string; source?: string;
  cause: number[]; media_type?: string; visibility?: string; leaf_hash: string;
  content?: string; content_state: "none" | "shown" | "withheld" | "erased";
  outcome: Outcome; detail?: string;
}

/** summary is one line of an entry's content: the text of a message, the words of a JSON document. */
export function summary(e: Entry): string {
  const text = e.content ?? "";
  if (!/json/.test(e.media_type ?? "") || text === "") return text;
  try { return flat(JSON.parse(text)); } catch { return text; }
}

function flat(v: unknown): string {
  if (typeof v === "string") return v;
  if (typeof v !== "object" || v === null) return String(v);
  if (Array.isArray(v)) return v.map(flat).join(", ");
  const o = v as Record<string, unknown>;
  if (typeof o["text"] === "string" && o["text"]) return o["text"];
  return Object.entries(o).filter(([, x]) => x !== "" && x !== null).map(([k, x]) => `${k}: ${flat(x)}`).join(" · ");
}

/** family: an entry with what led to it and what it led to, among the entries at hand, oldest first. */
export function family(all: Map<number, Entry>, from: number): Entry[] {
  const found = new Set<number>();
  const up = (i: number): void => { const e = all.get(i); if (!e || found.has(i)) return; found.add(i); e.cause.forEach(up); };
  up(from);
  for (const e of [...all.values()].sort((a, b) => a.index - b.index)) if (e.cause.some((c) => found.has(c)) && e.type !== "boot") found.add(e.index);
  return [...found].sort((a, b) => a - b).map((i) => all.get(i)!);
}

export function iconOf(type: string): string {
  return ({ boot: "boot", message: "message", model: "model", reply: "message", action: "action", intent: "action", result: "result" } as Record<string, string>)[type] ?? "log";
}
