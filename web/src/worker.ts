// The worker that holds the verifier: package verify as WASM. It fetches nothing but its own code and trusts only its input.
// The WASM sets the global `teapot`: functions from byte strings and a JSON text to a JSON text; errors are thrown or returned.

declare const Go: (new () => { importObject: WebAssembly.Imports; run(i: WebAssembly.Instance): Promise<void> }) | undefined;
declare function importScripts(...urls: string[]): void;

type Func = (...args: (Uint8Array | string)[]) => unknown;
interface Question { id: number; op: string; args: (Uint8Array | ArrayBuffer | string)[] }

const worker = self as unknown as { teapot?: Record<string, Func>; teapotProgress?: (done: number, total: number) => void; postMessage(m: unknown): void; onmessage: (e: MessageEvent<Question>) => void };

async function init(wasm: ArrayBuffer | string): Promise<void> {
  if (typeof Go === "undefined") importScripts("wasm_exec.js");
  const go = new Go!();
  const { instance } = typeof wasm === "string" ? await streamed(wasm, go.importObject) : await WebAssembly.instantiate(wasm, go.importObject);
  void go.run(instance); // returns when the verifier ends, which it never does
  if (!worker.teapot) throw new Error("the verifier did not start");
}

async function streamed(url: string, imports: WebAssembly.Imports): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`no verifier at ${url}: HTTP ${response.status}`);
  return WebAssembly.instantiateStreaming(response, imports);
}

/** answer runs one question; Go signals a failure as an Error value, because a panic would end the verifier. */
async function answer(q: Question): Promise<unknown> {
  if (q.op === "init") return init(q.args[0] as ArrayBuffer | string);
  const func = worker.teapot?.[q.op];
  if (!func) throw new Error(`the verifier has no ${q.op}`);
  const result = await func(...(q.args as (Uint8Array | string)[]));
  if (result instanceof Error) throw result;
  return result;
}

worker.teapotProgress = (done, total) => worker.postMessage({ progress: [done, total] });

worker.onmessage = (e) => {
  const { id } = e.data;
  answer(e.data).then((ok) => worker.postMessage({ id, ok }), (err: unknown) => worker.postMessage({ id, error: String((err as Error).message ?? err) }));
};
