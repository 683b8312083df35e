// Fetching from an agent. These are bytes from a server that may lie: nothing here is believed, all of it goes to the verifier.

export interface AgentRow { id: string; name: string; origin?: string; size?: number }
export interface Front { version?: string; platform?: string; simulated?: boolean; agents: AgentRow[]; boot?: string; [key: string]: unknown }

/** Problem is an RFC 9457 answer (or Eliza's error or message), said as its cause and what to do next. */
export class Problem extends Error {
  constructor(readonly status: number, body: { title?: string; cause?: string; detail?: string; error?: string; message?: string; next?: string }) {
    super([body.cause ?? body.detail ?? body.error ?? body.message ?? body.title ?? `HTTP ${status}`, body.next].filter(Boolean).join(" – "));
  }
}

export async function ask(url: URL | string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, { referrerPolicy: "no-referrer", credentials: "omit", ...init });
  if (response.ok) return response;
  const body = await response.text().catch(() => "");
  let parsed: object = { title: body.slice(0, 200) };
  try { parsed = JSON.parse(body) as object; } catch { /* not a problem document */ }
  throw new Problem(response.status, parsed);
}

export const json = <T>(url: URL | string, init?: RequestInit): Promise<T> => ask(url, init).then((r) => r.json() as Promise<T>);
export const bytes = (url: URL | string, init?: RequestInit): Promise<Uint8Array> => ask(url, init).then(async (r) => new Uint8Array(await r.arrayBuffer()));

/** Agent is one agent behind one address. */
export class Agent {
  constructor(readonly base: URL, readonly id: string) {}

  url(path: string, query: Record<string, string | number | undefined> = {}): URL {
    const u = new URL(`v1/agents/${this.id}/${path}`, this.base);
    for (const [k, v] of Object.entries(query)) if (v !== undefined && v !== "") u.searchParams.set(k, String(v));
    return u;
  }
}

/** base is the address under which the agent's routes stand. */
export function base(from: URL | string): URL { return new URL("/", from); }

export const front = (at: URL): Promise<Front> => json<Front>(new URL("v1/", at));
