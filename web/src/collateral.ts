// Intel's documents for a bare quote. Browsers cannot ask Intel (its service allows no other origins), so the server that this page
// came from fetches them by kind of platform: it learns the FMSPC and nothing else of the quote, and the verifier checks every
// signature up to the pinned root. A page from a file has no such server and says what to do instead.
import { bytes } from "./api";
import type { Needs } from "./quote";

const patience = 12_000; // milliseconds

export function fetched(base: URL, n: Needs): Promise<Uint8Array> {
  const url = new URL("v1/collateral", base);
  url.search = new URLSearchParams({ tee: n.tee, fmspc: n.fmspc, ca: n.ca }).toString();
  return bytes(url, { signal: AbortSignal.timeout(patience) });
}
