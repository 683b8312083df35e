// The live log: what the server announces is verified as the continuation of what is known, then shown.
import { ask } from "./api";
import type { Entry } from "./entry";
import type { Session } from "./session";
import { events } from "./sse";
import { verifier } from "./verifier";

export interface Sink { add(...entries: Entry[]): void; connected(live: boolean): void }

interface Followed { entries: Entry[]; state: object; size: number }

/** Broken is a log that does not go on from what was verified before; a lost connection is not. */
class Broken extends Error {}

/** follow subscribes until the returned function is called. `broken` hears of a break of the log itself. */
export function follow(session: Session, sink: Sink, broken: (why: string) => void): () => void {
  const gone = new AbortController();
  const from = (session.known?.result.agents ?? []).find((a) => a.id === session.row?.id)?.size ?? 0;
  void listen(session, sink, { held: [], next: from }, gone.signal).catch((e: Error) => { sink.connected(false); if (!gone.signal.aborted) broken(e.message); });
  return () => gone.abort();
}

interface Place { held: Uint8Array[]; next: number }

async function listen(session: Session, sink: Sink, place: Place, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const leaving = new AbortController(); // a page that is left, or kept for "back", holds no connection
    addEventListener("pagehide", () => leaving.abort(), { once: true });
    try {
      const response = await ask(session.agent!.url("events", { from: place.next }), session.auth({ signal: AbortSignal.any([signal, leaving.signal]) }));
      sink.connected(true);
      for await (const e of events(response)) if (e.name === "entry") await take(session, sink, place, new TextEncoder().encode(e.data));
    } catch (e) {
      if (e instanceof Broken) throw e;
    }
    sink.connected(false);
    await new Promise((r) => setTimeout(r, 2000));
  }
}

/** take holds entries until a checkpoint covers exactly them: signature, place and root are compared together. */
async function take(session: Session, sink: Sink, place: Place, entry: Uint8Array): Promise<void> {
  const state = session.known?.state;
  if (!state) return;
  place.held.push(entry);
  place.next++;
  const judged = async (): Promise<Followed | null> => {
    if ((await verifier().ask<number>("covers", [entry])) !== place.next) return null;
    return verifier().ask<Followed>("follow", place.held, { state });
  };
  const followed = await judged().catch((e: Error) => { throw new Broken(e.message); });
  if (!followed) return;
  place.held = [];
  session.known!.state = followed.state;
  sink.add(...followed.entries);
}
