// Figures of the server for the operator: Prometheus text from /metrics, and the rates that two readings of it make.
import { ask } from "./api";
import { s } from "./dom";

export interface Figures { requests?: number; errors?: number; memory?: number; started?: number; sizes: Map<string, number> }

/** figures reads the few numbers that the dashboard shows; a refused token is a Problem with status 401. */
export async function figures(base: URL, token: string): Promise<Figures> {
  const response = await ask(new URL("metrics", base), { headers: { Authorization: `Bearer ${token}` } });
  return read(await response.text());
}

function read(text: string): Figures {
  const lines = text.split("\n").filter((l) => l && !l.startsWith("#"));
  const sizes = new Map<string, number>();
  for (const l of lines) {
    const agent = /^teapot_log_entries\{agent="([^"]+)"\}/.exec(l)?.[1];
    if (agent) sizes.set(agent, value(l));
  }
  return {
    requests: sum(lines, /^teapot_http_requests_total/), errors: sum(lines, /^teapot_http_requests_total\{[^}]*(code|status)="5/) ?? 0,
    memory: sum(lines, /^process_resident_memory_bytes/), started: sum(lines, /^process_start_time_seconds/), sizes,
  };
}

const value = (line: string): number => Number(line.slice(line.lastIndexOf(" ") + 1));

function sum(lines: string[], name: RegExp): number | undefined {
  const found = lines.filter((l) => name.test(l)).map(value);
  return found.length ? found.reduce((a, b) => a + b, 0) : undefined;
}

const minute = 60_000, minutes = 10;

/** Rate counts entries by the minute they came in, over the last ten minutes, from readings of the logs' sizes. */
export class Rate {
  private last = new Map<string, number>();
  private came: { at: number; n: number }[] = [];

  /** take notes a reading; the first one of a log tells nothing about when its entries came. */
  take(sizes: Map<string, number>, now = Date.now()): void {
    for (const [agent, size] of sizes) {
      const before = this.last.get(agent);
      if (before !== undefined && size > before) this.came.push({ at: now, n: size - before });
      this.last.set(agent, size);
    }
    this.came = this.came.filter((c) => c.at > now - minutes * minute);
  }

  /** bars is the number of entries in each of the last ten minutes, the present one last. */
  bars(now = Date.now()): number[] {
    return Array.from({ length: minutes }, (_, i) => this.came.filter((c) => Math.floor((now - c.at) / minute) === minutes - 1 - i).reduce((n, c) => n + c.n, 0));
  }
}

/** spark draws one bar a minute. */
export function spark(bars: number[]): SVGElement {
  const top = Math.max(1, ...bars);
  return s("svg", { viewBox: "0 0 100 24", class: "spark", "aria-hidden": "true", preserveAspectRatio: "none" },
    bars.map((n, i) => s("rect", { x: i * 10 + 1, width: 8, y: 24 - (22 * n) / top - 1, height: (22 * n) / top + 1, rx: 1.5 })));
}
