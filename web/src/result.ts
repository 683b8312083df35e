// The shape of a verdict (docs/decisions/0001, package verify and appraisal) and how it becomes a chain of six links.
// Nothing is decided here: outcomes come from the verifier, this file only groups and orders them.

export type Outcome = "not_checked" | "failed" | "warning" | "passed";
export type Tier = "none" | "contraindicated" | "warning" | "affirming";

export interface Check {
  id: string; link: string; outcome: Outcome; detail: string;
  got?: string; want?: string; source?: string; fault?: string; remedy?: string;
}

export interface Result {
  tier: Tier; headline: string; exit: number; target: string; kind: string; judged_at: string;
  platform?: string; simulated: boolean; checks: Check[]; waived?: string[]; agents: AgentResult[] | null; not_proven: string;
}

export interface AgentResult {
  id: string; name?: string; origin: string; log_key: string; size: number; root: string; starts: number;
  verified: number; scope: string; erased?: Record<string, number>; withheld?: number;
  character_sha256?: string; wallets?: Wallet[];
}

export interface Wallet { chain: string; address: string; shared?: boolean }

export const chain = ["hardware", "tcb", "code", "keys", "log", "entry"] as const;
export type LinkName = (typeof chain)[number];

export interface Link { name: LinkName | "session"; outcome: Outcome; checks: Check[]; broken: boolean }

/** links groups checks by their place. `broken` marks links that hang on an earlier, failed one. */
export function links(checks: Check[]): Link[] {
  let broken = false;
  return chain.map((name) => {
    const own = checks.filter((c) => place(c) === name);
    const link: Link = { name, outcome: worst(own), checks: own, broken };
    if (link.outcome === "failed") broken = true;
    return link;
  });
}

/** aside is what stands beside the chain: this connection. */
export function aside(checks: Check[]): Link | null {
  const own = checks.filter((c) => place(c) === "session");
  return own.length ? { name: "session", outcome: worst(own), checks: own, broken: false } : null;
}

/** Where the fifteen links of a Result (package verify) stand in the drawn chain. */
const places: Record<string, LinkName | "session"> = {
  hardware: "hardware", debug: "hardware", tcb: "tcb", measurements: "code", code: "code",
  binding: "keys", keys: "keys", custody: "keys",
  lineage: "log", "log signature": "log", "log consistency": "log", log: "log", witnesses: "log", rollback: "log",
  entries: "entry", entry: "entry", freshness: "session", session: "session",
};

/** place is the drawn link of a check; one that this page does not know is drawn beside the chain, never dropped. */
function place(c: Check): LinkName | "session" { return places[c.link.toLowerCase()] ?? "session"; }

/** worst: one failure breaks the link; nothing passed means nothing was checked. */
export function worst(checks: Check[]): Outcome {
  for (const o of ["failed", "warning", "passed"] as const) {
    if (checks.some((c) => c.outcome === o)) return o;
  }
  return "not_checked";
}

/** debug: a machine whose memory can be read from outside is a headline, not a field. */
export function debug(r: Result): boolean { return r.checks.some((c) => c.link === "debug" && c.outcome === "failed"); }
