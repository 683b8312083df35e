// What the verifier explains about a quote (op "explain"): shapes only, docs/formats/page-verifier.md.

export interface Field { section: "header" | "body" | "signature"; offset: number; size: number; name: string; value: string; meaning?: string }
export interface Certificate {
  subject: string; issuer: string; serial: string; not_before: string; not_after: string; sha256: string;
  root?: boolean; pinned?: boolean; revocation?: "good" | "revoked" | "unknown";
}
export interface Step { event: string; digest: string; value: string; payload?: string }
export interface Register { name: string; quoted: string; replayed: string; matches: boolean; steps: Step[] }
export interface Explanation {
  tee: string; version: number; fields: Field[]; certificates?: Certificate[]; advisories?: string[];
  status?: string; expires?: string; registers?: Register[]; notes?: string[]; needs?: Needs;
}

/** Needs names Intel's documents that a quote cannot be judged without, when they are not here. */
export interface Needs { tee: string; fmspc: string; ca: string }
