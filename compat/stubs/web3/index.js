// Stands in for @solana/web3.js: an Ed25519 pair from a 32-byte seed, and base58 of its public key.
import { createPrivateKey, createPublicKey } from "node:crypto";

const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export function base58(bytes) {
  let n = BigInt("0x" + Buffer.from(bytes).toString("hex"));
  let out = "";
  for (; n > 0n; n /= 58n) out = alphabet[Number(n % 58n)] + out;
  for (let i = 0; i < bytes.length && bytes[i] === 0; i++) out = "1" + out;
  return out;
}

class PublicKey {
  constructor(bytes) { this.bytes = bytes; }
  toBase58() { return base58(this.bytes); }
  toString() { return this.toBase58(); }
}

export class Keypair {
  static fromSeed(seed) {
    if (seed.length !== 32) throw new Error("seed of " + seed.length + " bytes");
    const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed)]);
    const pub = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
    const pair = new Keypair();
    pair.publicKey = new PublicKey(pub.export({ format: "der", type: "spki" }).subarray(-32));
    return pair;
  }
}
