// Runs one published client against one endpoint of teapot simulate and prints a line per check:
//   ok|FAIL <TAB> client <TAB> transport <TAB> check [<TAB> reason]
// usage: node client.mjs sdk-0.1.7|tee-0.1.9|… http://127.0.0.1:8090|/path/to.sock
//        node client.mjs sgx-0.1.9 /path/to/played/attestation
// TEAPOT names the binary that judges the quotes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import http from "node:http";

const [name, endpoint] = process.argv.slice(2);
const [kind, version] = name.split(/-(?=\d)/);
const transport = kind === "sgx" ? endpoint.split("/").pop() : endpoint.startsWith("http") ? "tcp" : "unix";
const require = createRequire(import.meta.url);
let failed = 0;

// check runs one check and prints its line. A check that hangs for 20 seconds failed.
async function check(what, run) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("no answer in 20 s")), 20000); });
  try {
    await Promise.race([run(), late]);
    console.log(["ok", name, transport, what].join("\t"));
  } catch (e) {
    failed++;
    console.log(["FAIL", name, transport, what, String(e.message).replace(/\s+/g, " ").slice(0, 200)].join("\t"));
  } finally {
    clearTimeout(timer);
  }
}

function equal(got, want, what) {
  if (String(got) !== String(want)) throw new Error(`${what}: got ${got}, want ${want}`);
}

const hash = (algorithm, ...parts) => parts.reduce((h, p) => h.update(p), createHash(algorithm)).digest("hex");
const plain = (hex) => hex.replace(/^0x/, "");

// What a TDX quote says, by offset (report data 568, RTMR0 376).
const reportData = (quote) => plain(quote).slice(568 * 2, 632 * 2);
const rtmrs = (quote) => [0, 1, 2, 3].map((i) => plain(quote).slice((376 + 48 * i) * 2, (424 + 48 * i) * 2));

// checkQuote lets teapot quote verify judge a quote as the client handed it out; it throws when the exit code is not 0.
function checkQuote(quote) {
  const text = execFileSync(process.env.TEAPOT, ["quote", "verify", "-", "--allow-simulated"], { input: plain(quote) }).toString();
  equal(/accepted: SIMULATED UpToDate/.test(text), true, "verdict of teapot quote verify");
}

// ask is a plain HTTP call: the answer that every client must have seen as well.
function ask(path, body) {
  const { hostname, port } = new URL(transport === "tcp" ? endpoint : "http://localhost");
  const where = transport === "tcp" ? { hostname, port } : { socketPath: endpoint };
  return new Promise((resolve, reject) => {
    const req = http.request({ ...where, path, method: "POST", agent: false, headers: { "Content-Type": "application/json" } }, (res) => {
      let text = "";
      res.on("data", (d) => { text += d; }).on("end", () => resolve(JSON.parse(text)));
    });
    req.on("error", reject).end(JSON.stringify(body));
  });
}

const derOf = (pem) => Buffer.from(pem.split("-----")[2], "base64");

async function checkReplay(answer) {
  equal(answer.replayRtmrs().join(), rtmrs(answer.quote).join(), "replayed registers");
}

async function tappd(sdk, at) {
  const client = new sdk.TappdClient(at);
  await check("deriveKey", async () => {
    const key = await client.deriveKey("/compat", "subject");
    const want = derOf((await ask("/prpc/Tappd.DeriveKey", { path: "/compat", subject: "subject" })).key);
    equal(want.length, 138, "length of the DER");
    equal(Buffer.from(key.asUint8Array()).toString("hex"), want.toString("hex"), "key bytes");
    equal(key.certificate_chain.length >= 2, true, "certificate chain");
  });
  let answer;
  await check("tdxQuote", async () => {
    answer = await client.tdxQuote("hello");
    const sent = version === "0.1.4" ? Buffer.from(hash("sha384", "hello"), "hex") : "hello";
    // From 0.5.5 on, DstackClient knows raw only; TappdClient still hashes.
    equal(reportData(answer.quote), hash("sha512", "app-data:", sent), "report data");
  });
  await check("quote verifies", async () => checkQuote(answer.quote));
  if (version !== "0.1.4") {
    await check("tdxQuote raw", async () => {
      const quote = (await client.tdxQuote(Buffer.alloc(64, 7), "raw")).quote;
      equal(reportData(quote), "07".repeat(64), "report data");
    });
    await check("replayRtmrs", () => checkReplay(answer));
  }
  if (client.info) {
    await check("info", async () => {
      const info = await client.info();
      equal(/^[0-9a-f]{40}$/.test(info.app_id), true, "app id");
      const tcb = typeof info.tcb_info === "string" ? JSON.parse(info.tcb_info) : info.tcb_info;
      equal(tcb.rtmr3, rtmrs((await ask("/GetQuote", {})).quote)[3], "rtmr3");
    });
  }
  if (client.isReachable) await check("isReachable", async () => equal(await client.isReachable(), true, "reachable"));
}

async function dstack(sdk, at) {
  const client = new sdk.DstackClient(at);
  await check("getKey", async () => {
    const key = await client.getKey("a/b", "sign");
    equal(Buffer.from(key.key).toString("hex"), (await ask("/GetKey", { path: "a/b", purpose: "sign" })).key, "key");
    equal(key.signature_chain.map((s) => s.length).join(), "65,65", "signature chain");
  });
  await check("getTlsKey", async () => {
    const key = await client.getTlsKey({ subject: "s", altNames: ["x.com"], usageRaTls: true });
    equal(key.key.startsWith("-----BEGIN PRIVATE KEY-----"), true, "key");
    equal(key.certificate_chain.length >= 2, true, "certificate chain");
  });
  let before;
  await check("getQuote", async () => {
    before = await client.getQuote("hello");
    equal(reportData(before.quote), Buffer.from("hello").toString("hex").padEnd(128, "0"), "report data");
  });
  await check("replayRtmrs", () => checkReplay(before));
  await check("emitEvent", async () => {
    await client.emitEvent("compat", "payload");
    const after = await client.getQuote("hello");
    equal(rtmrs(after.quote)[3] !== rtmrs(before.quote)[3], true, "rtmr3 moved");
    await checkReplay(after);
  });
  await check("info", async () => {
    const info = await client.info();
    equal(/^[0-9a-f]{64}$/.test(info.compose_hash), true, "compose hash");
    equal(hash("sha256", info.tcb_info.app_compose), info.compose_hash, "compose hash of app_compose");
  });
  await check("isReachable", async () => equal(await client.isReachable(), true, "reachable"));
  await check("TEAPOT refused", async () => {
    let refused = false;
    try {
      refused = /reserved/.test((await client.getQuote("TEAPOT\0\u0001")).error ?? "");
    } catch (e) {
      refused = /reserved/.test(e.message);
    }
    equal(refused, true, "refused");
  });
  if (client.sign) await dstack058(client);
}

async function dstack058(client) {
  await check("version", async () => equal((await client.version()).version, (await ask("/Version", {})).version, "version"));
  await check("getKey ed25519", async () => equal((await client.getKey("a", "p", "ed25519")).key.length, 32, "key bytes"));
  await check("attest", async () => equal((await client.attest("hello")).attestation.startsWith("0000"), true, "V0 attestation"));
  for (const algorithm of ["ed25519", "secp256k1"]) {
    await check("sign, verify " + algorithm, async () => {
      const signed = await client.sign(algorithm, "data");
      equal((await client.verify(algorithm, "data", signed.signature, signed.public_key)).valid, true, "valid");
      equal((await client.verify(algorithm, "other", signed.signature, signed.public_key)).valid, false, "valid for other data");
    });
  }
}

async function pluginTee() {
  process.env.DSTACK_SIMULATOR_ENDPOINT = endpoint; // overrides TEE_MODE's endpoint inside the SDK, as in the documents
  console.log = ((print) => (...a) => (/^(ok|FAIL)\t/.test(a[0]) ? print(...a) : undefined))(console.log);
  const tee = await import(name);
  const { Keypair } = await import("./stubs/web3/index.js");
  const { secp256k1 } = await import("@noble/curves/secp256k1");
  const { keccak_256 } = await import("@noble/hashes/sha3");
  const provider = new tee.DeriveKeyProvider("LOCAL");
  const agent = "b850bc30-45f8-0041-a00a-83df46d8555d";
  const der = derOf((await ask("/prpc/Tappd.DeriveKey", { path: "/", subject: "salt" })).key);
  const attested = (attestation, publicKey) => equal(
    reportData(attestation.quote), hash("sha512", "app-data:", JSON.stringify({ agentId: agent, publicKey })), "report data");
  await check("derive Solana", async () => {
    const { keypair, attestation } = await provider.deriveEd25519Keypair("/", "salt", agent);
    equal(keypair.publicKey.toBase58(), Keypair.fromSeed(createHash("sha256").update(der).digest()).publicKey.toBase58(), "address");
    attested(attestation, keypair.publicKey.toBase58());
  });
  await check("derive EVM", async () => {
    const { keypair, attestation } = await provider.deriveEcdsaKeypair("/", "salt", agent);
    const pub = secp256k1.getPublicKey(keccak_256(der), false).slice(1);
    equal(keypair.address.toLowerCase(), "0x" + Buffer.from(keccak_256(pub)).subarray(-20).toString("hex"), "address");
    attested(attestation, keypair.address);
  });
  await check("raw key", async () => {
    equal(Buffer.from((await provider.rawDeriveKey("/", "salt")).asUint8Array()).toString("hex"), der.toString("hex"), "key bytes");
  });
  await check("attestation", async () => {
    const { quote } = await new tee.RemoteAttestationProvider("LOCAL").generateAttestation("text");
    equal(reportData(quote), hash("sha512", "app-data:", "text"), "report data");
  });
  await check("providers", async () => {
    const runtime = { agentId: agent, getSetting: (k) => ({ TEE_MODE: "LOCAL", WALLET_SECRET_SALT: "salt" })[k] };
    const message = { userId: agent, roomId: agent, content: { text: "Grüße 茶" } };
    const texts = [];
    for (const p of tee.teePlugin.providers) texts.push(await p.get(runtime, message));
    equal(/^Your Agent's remote attestation is: \{"quote":/.test(texts[0]), true, "attestation text");
    equal(Object.keys(JSON.parse(texts[1])).join(), "solana,evm", "key text");
  });
}

async function pluginSGX() {
  const { SgxAttestationProvider } = await import(name);
  const provider = new SgxAttestationProvider();
  for (const [field, file] of Object.entries({ MY_TARGET_INFO_PATH: "my_target_info", TARGET_INFO_PATH: "target_info", USER_REPORT_DATA_PATH: "user_report_data", QUOTE_PATH: "quote" })) {
    equal(provider[field], "/dev/attestation/" + file, field); // the code's own paths; only the directory differs
    provider[field] = endpoint + "/" + file;
  }
  let quote;
  await check("attestation", async () => {
    for (const text of ["first", "second", "third"]) {
      quote = (await provider.generateAttestation(text)).quote;
      equal(plain(quote).slice(368 * 2, 432 * 2), hash("sha256", text).padEnd(128, "0"), "report data");
    }
  });
  await check("quote verifies after the cut", async () => checkQuote(quote));
}

if (kind === "tee") {
  await pluginTee();
} else if (kind === "sgx") {
  await pluginSGX();
} else {
  const sdk = require(name);
  await tappd(sdk, endpoint);
  if (sdk.DstackClient) await dstack(sdk, endpoint);
}
process.exit(failed ? 1 : 0);
