// Sealed bodies: HPKE base mode (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM, framed as EHBP frames it
// (docs/formats/sealed.md). The key must come from a boot statement that the verifier accepted; this file does not judge it.

const kem = bytes([0x4b, 0x45, 0x4d, 0x00, 0x20]); // "KEM" ‖ X25519
const suite = bytes([0x48, 0x50, 0x4b, 0x45, 0x00, 0x20, 0x00, 0x01, 0x00, 0x02]); // "HPKE" ‖ KEM ‖ HKDF-SHA256 ‖ AES-256-GCM
const none = new Uint8Array();

export interface SealKey { id: number; kem: number; kdf: number; aead: number; public: Uint8Array<ArrayBuffer> }

/** Sealing needs WebCrypto with X25519, which browsers offer on https and localhost only. */
export async function canSeal(): Promise<boolean> {
  if (!isSecureContext || !crypto.subtle) return false;
  return crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]).then(() => true, () => false);
}

export const usable = (k: SealKey): boolean => k.kem === 0x20 && k.kdf === 1 && k.aead === 2;

/** Sent is one sealed request: enc is the encapsulated key, to which a session statement can be bound. */
export interface Sent { response: Response; enc: Uint8Array<ArrayBuffer> }

/** post seals a body to the key, sends it, and returns the answer opened. An answer that is not sealed is an error. */
export async function post(url: URL | string, body: Uint8Array, key: SealKey, headers: Record<string, string> = {}): Promise<Sent> {
  const context = await encapsulate(key.public);
  const sealed = await gcm(context.key, context.nonce, "encrypt", body);
  const response = await fetch(url, {
    method: "POST", credentials: "omit", referrerPolicy: "no-referrer",
    headers: { ...headers, "Ehbp-Encapsulated-Key": hex(context.enc) }, body: framed(sealed),
  });
  const nonce = response.headers.get("Ehbp-Response-Nonce");
  if (nonce === null) {
    if (response.ok) throw new Error("the answer is not sealed: somebody between you and the agent made it");
    return { response, enc: context.enc };
  }
  const exported = await expand(context.exporter, suite, "sec", utf8("ehbp response"), 32);
  const opener = await responseOpener(exported, context.enc, unhex(nonce));
  if (!response.body) throw new Error("the answer has no body");
  return { enc: context.enc, response: new Response(response.body.pipeThrough(opener), { status: response.status, headers: response.headers }) };
}

async function encapsulate(recipient: Uint8Array<ArrayBuffer>) {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]) as CryptoKeyPair;
  const enc = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const theirs = await crypto.subtle.importKey("raw", recipient, { name: "X25519" }, false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, pair.privateKey, 256));
  const secret = await expand(await extract(none, kem, "eae_prk", shared), kem, "shared_secret", join(enc, recipient), 32);
  return { enc, ...(await schedule(secret, utf8("ehbp request"))) };
}

/** schedule is RFC 9180 section 5.1, mode base. */
async function schedule(shared: Uint8Array<ArrayBuffer>, info: Uint8Array<ArrayBuffer>) {
  const context = join(bytes([0]), await extract(none, suite, "psk_id_hash", none), await extract(none, suite, "info_hash", info));
  const secret = await extract(shared, suite, "secret", none);
  return {
    key: await expand(secret, suite, "key", context, 32),
    nonce: await expand(secret, suite, "base_nonce", context, 12),
    exporter: await expand(secret, suite, "exp", context, 32),
  };
}

/** responseOpener opens chunk after chunk; a stream without its empty last chunk was cut, and errors. */
async function responseOpener(exported: Uint8Array<ArrayBuffer>, enc: Uint8Array, nonce: Uint8Array): Promise<TransformStream<Uint8Array, Uint8Array>> {
  const prk = await hmac(join(enc, nonce), exported);
  const key = (await hmac(prk, join(utf8("key"), bytes([1])))).slice(0, 32);
  const base = (await hmac(prk, join(utf8("nonce"), bytes([1])))).slice(0, 12);
  let held = none, count = 0, ended = false;
  return new TransformStream<Uint8Array, Uint8Array>({
    async transform(piece, out) {
      held = join(held, piece);
      for (let size = length(held); size >= 0 && held.length >= 4 + size; size = length(held)) {
        if (ended) throw new Error("bytes after the end of a sealed answer");
        const plain = await gcm(key, numbered(base, count++), "decrypt", held.slice(4, 4 + size));
        held = held.slice(4 + size);
        if (plain.length === 0) ended = true;
        else out.enqueue(plain);
      }
    },
    flush() { if (!ended || held.length) throw new Error("the sealed answer was cut"); },
  });
}

const length = (b: Uint8Array): number => (b.length < 4 ? -1 : new DataView(b.buffer, b.byteOffset).getUint32(0));

function numbered(base: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const nonce = base.slice();
  const view = new DataView(nonce.buffer);
  view.setUint32(8, view.getUint32(8) ^ count);
  return nonce;
}

function framed(sealed: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, sealed.length);
  return join(size, sealed);
}

const extract = (salt: Uint8Array<ArrayBuffer>, id: Uint8Array, label: string, ikm: Uint8Array) => hmac(salt.length ? salt : new Uint8Array(32), join(utf8("HPKE-v1"), id, utf8(label), ikm));

/** expand is LabeledExpand for at most one block of 32 bytes. */
async function expand(prk: Uint8Array<ArrayBuffer>, id: Uint8Array, label: string, info: Uint8Array, size: number): Promise<Uint8Array<ArrayBuffer>> {
  return (await hmac(prk, join(bytes([0, size]), utf8("HPKE-v1"), id, utf8(label), info, bytes([1])))).slice(0, size);
}

async function hmac(key: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

async function gcm(key: Uint8Array<ArrayBuffer>, iv: Uint8Array<ArrayBuffer>, way: "encrypt" | "decrypt", data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, "AES-GCM", false, [way]);
  return new Uint8Array(await crypto.subtle[way]({ name: "AES-GCM", iv }, imported, data as BufferSource));
}

export function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) { out.set(p, at); at += p.length; }
  return out;
}

function bytes(list: number[]): Uint8Array<ArrayBuffer> { return Uint8Array.from(list); }
function utf8(text: string): Uint8Array<ArrayBuffer> { return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>; }
function hex(b: Uint8Array): string { return [...b].map((x) => x.toString(16).padStart(2, "0")).join(""); }
function unhex(text: string): Uint8Array<ArrayBuffer> { return Uint8Array.from(text.match(/../g) ?? [], (x) => parseInt(x, 16)); }
