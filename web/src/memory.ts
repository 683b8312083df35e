// What this browser remembers of the logs it verified, so that a second look notices a rollback or another log.
// Written only after a verdict that met the policy (the verifier hands nothing out before); kept by address.

export interface Seen { target: string; agent: string; origin: string; [key: string]: unknown }

const name = (origin: string): string => `teapot.seen ${origin}`;

export function remembered(origin: string): Seen[] {
  try { return JSON.parse(localStorage.getItem(name(origin)) ?? "[]") as Seen[]; } catch { return []; }
}

export function remember(origin: string, fresh: Seen[]): void {
  if (!fresh.length) return;
  const kept = remembered(origin).filter((old) => !fresh.some((s) => s.agent === old.agent));
  try { localStorage.setItem(name(origin), JSON.stringify([...kept, ...fresh])); } catch { /* a strict browser remembers nothing */ }
}

export function forget(origin: string): void {
  try { localStorage.removeItem(name(origin)); } catch { /* nothing was kept */ }
}
