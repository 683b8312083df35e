// The live log: each entry that the server announces is verified against what is already known, then shown.
import type { Log } from "./elements/log";
import type { Entry } from "./entry";
import type { Session } from "./session";
import { verifier } from "./verifier";

interface Step { entries: Entry[]; anchor: string }

/** follow subscribes until the returned function is called. `broken` hears of a break of the log itself. */
export function follow(session: Session, log: Log, broken: (why: string) => void): () => void {
  const source = new EventSource(session.agent.url("events"));
  let queue = Promise.resolve();
  const take = (e: MessageEvent<string>): void => { queue = queue.then(() => step(session, log, e.data)).catch((err: Error) => { log.connected(false); broken(err.message); source.close(); }); };
  source.onopen = () => log.connected(true);
  source.onerror = () => log.connected(false);
  source.onmessage = take;
  source.addEventListener("entry", take as EventListener);
  return () => source.close();
}

/** step verifies one announcement: signature, place in the tree, and that its checkpoint extends the last one. */
async function step(session: Session, log: Log, data: string): Promise<void> {
  const known = session.known;
  if (!known) return;
  const next = await verifier().ask<Step>("follow", [new TextEncoder().encode(data)], { anchor: known.anchor, agent: session.row.id });
  known.anchor = next.anchor;
  log.add(...next.entries);
}
