// What the reader gave the explorer: an address to ask, or bytes to judge. What the bytes are is for the verifier to say.

export interface Given { address?: URL; files: Uint8Array[] }

const scheme = /^https?:\/\//i;
const hostname = /^(localhost|\[[0-9a-f:]+\]|[a-z0-9-]+(\.[a-z0-9-]+)+|\d+(\.\d+){3})(:\d+)?(\/\S*)?$/i;

/** given sorts what was typed: an address stands alone on its line. */
export function given(text: string, files: Uint8Array[]): Given {
  const typed = text.trim();
  if (typed === "") return { files };
  if (!/\s/.test(typed) && typed.length < 300) {
    if (scheme.test(typed) && URL.canParse(typed)) return { address: new URL(typed), files };
    if (hostname.test(typed)) return { address: new URL(`${/^(localhost|127\.|\[::1\])/.test(typed) ? "http" : "https"}://${typed}`), files };
  }
  return { files: [new TextEncoder().encode(typed), ...files] };
}

export function readFiles(list: Iterable<File>): Promise<Uint8Array[]> {
  return Promise.all([...list].map(async (f) => new Uint8Array(await f.arrayBuffer())));
}

export async function sha256(b: Uint8Array): Promise<string> {
  const sum = await crypto.subtle.digest("SHA-256", b as BufferSource);
  return hex(new Uint8Array(sum));
}

export function hex(b: Uint8Array): string { return [...b].map((x) => x.toString(16).padStart(2, "0")).join(""); }

export function nonce(bytes = 32): string { return hex(crypto.getRandomValues(new Uint8Array(bytes))); }
