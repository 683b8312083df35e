// The page's side of the verifier: one worker, one WASM, questions by number. The page stays responsive whatever it checks.
import { learn, type Words } from "./text/words";

interface Policy { createScriptURL(url: string): unknown }
declare global {
  interface Window { trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy } }
}

/** Options go to the WASM as JSON; docs/formats/page-verifier.md lists them. */
export type Options = Record<string, unknown>;

interface Answer { id?: number; ok?: string; error?: string; progress?: [number, number] }
interface Waiting { resolve: (v: unknown) => void; reject: (e: Error) => void }

export class Verifier {
  /** ready resolves with the milliseconds that loading took. */
  readonly ready: Promise<number>;
  private worker?: Worker;
  private next = 1;
  private waiting = new Map<number, Waiting>();

  constructor() {
    this.ready = this.start();
    this.ready.catch(() => undefined); // reported by whoever asks
  }

  /** ask calls one function of the WASM with byte strings and options; its JSON answer is parsed. */
  async ask<T>(op: string, inputs: Uint8Array[], options: Options = {}): Promise<T> {
    await this.ready;
    return (await this.post(op, [...inputs.map((b) => b.slice()), JSON.stringify(options)])) as T;
  }

  /** onprogress hears how far a long log is. */
  onprogress: (done: number, total: number) => void = () => undefined;

  private async start(): Promise<number> {
    const started = performance.now();
    const { url, wasm } = await source();
    this.worker = new Worker(trusted(url) as string);
    this.worker.onmessage = (e: MessageEvent<Answer>) => this.settle(e.data);
    this.worker.onerror = (e) => this.fail(new Error(e.message || "the verifier did not load"));
    await this.post("init", [wasm]);
    learn((await this.post("words", ["{}"])) as Words | undefined);
    return performance.now() - started;
  }

  private post(op: string, args: (Uint8Array | ArrayBuffer | string)[]): Promise<unknown> {
    const id = this.next++;
    const transfer = args.flatMap((a) => (typeof a === "string" ? [] : [(a instanceof Uint8Array ? a.buffer : a) as ArrayBuffer]));
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker?.postMessage({ id, op, args }, transfer);
    });
  }

  private settle(answer: Answer): void {
    if (answer.progress) this.onprogress(...answer.progress);
    if (answer.id === undefined) return;
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (answer.error !== undefined) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.ok === undefined ? undefined : JSON.parse(answer.ok));
  }

  private fail(error: Error): void {
    for (const w of this.waiting.values()) w.reject(error);
    this.waiting.clear();
  }
}

/** source finds the worker and the WASM: beside this script, inside this file, or (badge on another's page) by fetch. */
async function source(): Promise<{ url: string; wasm: string | ArrayBuffer }> {
  const inline = document.getElementById("inline-worker");
  if (inline) {
    const packed = document.getElementById("inline-wasm")?.textContent ?? "";
    return { url: blob(fromBase64(inline.textContent ?? "")), wasm: await inflate(fromBase64(packed)) };
  }
  const url = new URL("./worker.js", import.meta.url);
  const wasm = new URL("./verifier.wasm", import.meta.url).href;
  if (url.origin === location.origin) return { url: url.href, wasm };
  // A worker must come from the page's own origin: fetch its two scripts and start them from a blob.
  const scripts = await Promise.all(["./wasm_exec.js", "./worker.js"].map((f) => fetch(new URL(f, import.meta.url)).then((r) => r.text())));
  return { url: blob(scripts.join("\n")), wasm };
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> { return Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0)); }

function blob(script: BlobPart): string { return URL.createObjectURL(new Blob([script], { type: "text/javascript" })); }

function inflate(packed: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** trusted vouches for one kind of address: our own worker. */
function trusted(url: string): unknown {
  return window.trustedTypes ? window.trustedTypes.createPolicy("teapot", { createScriptURL: (u) => u }).createScriptURL(url) : url;
}

let shared: Verifier | undefined;
export function verifier(): Verifier { return (shared ??= new Verifier()); }
