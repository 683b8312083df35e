// Figures of the server: Prometheus text from /metrics, read for the few numbers that the dashboard shows.

export interface Metrics { requests?: number; errors?: number; memory?: number; started?: number }

export async function metrics(base: URL, token: string): Promise<Metrics> {
  const response = await fetch(new URL("metrics", base), { headers: { Authorization: `Bearer ${token}` }, credentials: "omit" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const lines = (await response.text()).split("\n").filter((l) => l && !l.startsWith("#"));
  return {
    requests: sum(lines, /^teapot_http_requests_total/), errors: sum(lines, /^teapot_http_requests_total\{[^}]*(code|status)="5/) ?? 0,
    memory: sum(lines, /^process_resident_memory_bytes/), started: sum(lines, /^process_start_time_seconds/),
  };
}

function sum(lines: string[], name: RegExp): number | undefined {
  const found = lines.filter((l) => name.test(l)).map((l) => Number(l.slice(l.lastIndexOf(" ") + 1)));
  return found.length ? found.reduce((a, b) => a + b, 0) : undefined;
}
