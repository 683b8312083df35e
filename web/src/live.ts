// The live log: what the server announces is verified as the continuation of what is known, then shown.
import type { Entry } from "./entry";
import type { Session } from "./session";
import { verifier } from "./verifier";

export interface Sink { add(...entries: Entry[]): void; connected(live: boolean): void }

interface Followed { entries: Entry[]; state: object; size: number }

/** follow subscribes until the returned function is called. `broken` hears of a break of the log itself. */
export function follow(session: Session, sink: Sink, broken: (why: string) => void): () => void {
  const from = (session.known?.result.agents ?? []).find((a) => a.id === session.row?.id)?.size ?? 0;
  const source = new EventSource(session.agent!.url("events", { from }));
  let queue = Promise.resolve();
  let held: Uint8Array[] = [];
  let next = from;
  source.onopen = () => sink.connected(true);
  source.onerror = () => sink.connected(false);
  source.addEventListener("entry", (e: MessageEvent<string>) => {
    queue = queue.then(() => take(new TextEncoder().encode(e.data))).catch((err: Error) => { source.close(); sink.connected(false); broken(err.message); });
  });

  /** take holds entries until a checkpoint covers exactly them: signature, place and root are compared together. */
  async function take(entry: Uint8Array): Promise<void> {
    held.push(entry);
    next++;
    if ((await verifier().ask<number>("covers", [entry])) !== next || !session.known?.state) return;
    const followed = await verifier().ask<Followed>("follow", held, { state: session.known.state });
    held = [];
    session.known.state = followed.state;
    sink.add(...followed.entries);
  }
  return () => source.close();
}
