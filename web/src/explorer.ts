// The explorer page: paste, drop or link anything; see the chain.
import "./elements/chain";
import "./elements/quote";
import { base, bytes } from "./api";
import { fetched } from "./collateral";
import { $, h } from "./dom";
import type { Chain } from "./elements/chain";
import type { QuoteView } from "./elements/quote";
import { date, t } from "./i18n";
import { given, readFiles, sha256, type Given } from "./input";
import type { Explanation, Needs } from "./quote";
import type { Result } from "./result";
import { Session } from "./session";
import { fromFile, shell } from "./shell";
import { verifier } from "./verifier";

shell();
const chain = $<Chain>("tp-chain");
const quote = $<QuoteView>("tp-quote");
const form = $<HTMLFormElement>("#ask");
const text = $<HTMLTextAreaElement>("#input");
const picker = $<HTMLInputElement>("#files");
const about = $("#about");
const origin = $("#collateral"); // where Intel's documents came from, when they were not given
let dropped: File[] = [];
let asked = 0;
let repeat = (): void => undefined; // the last question once more, with other options

form.addEventListener("submit", (e) => { e.preventDefault(); void check(); });
picker.addEventListener("change", () => { take([...(picker.files ?? [])]); picker.value = ""; });
$("#clear").addEventListener("click", () => { text.value = ""; take([], true); asked++; chain.clear(); quote.show(null); about.replaceChildren(); origin.replaceChildren(); history.replaceState(null, "", location.pathname); });
$("#this").addEventListener("click", () => { text.value = location.origin; take([], true); void check(); });
drops();
verifier().ready.then((ms) => { document.documentElement.dataset.verifier = String(Math.round(ms)); }, (e: Error) => chain.fail(`${t("verifier.missing")} (${e.message})`));
fromLink();
addEventListener("hashchange", fromLink);

function drops(): void {
  for (const kind of ["dragenter", "dragover"]) addEventListener(kind, (e) => { e.preventDefault(); form.classList.add("dragging"); });
  for (const kind of ["dragleave", "drop"]) addEventListener(kind, (e) => { e.preventDefault(); form.classList.remove("dragging"); });
  addEventListener("drop", (e) => { const files = e.dataTransfer?.files; if (files?.length) take([...files]); });
}

/** take adds files to what is to be checked and, when there are any, checks. */
function take(files: File[], replace = false): void {
  dropped = replace ? files : [...dropped, ...files];
  $("#chosen").replaceChildren(...dropped.map((f) => h("li", { class: "tag" }, `${f.name} · ${f.size.toLocaleString()} B`)));
  if (files.length) void check();
}

/** fromLink follows #report=<checksum>, #url=<address> and #evidence=<digest>; a link is only a question, never an answer. */
function fromLink(): void {
  const link = new URLSearchParams(location.hash.slice(1));
  const report = link.get("report");
  const url = link.get("url") ?? (link.has("this") ? location.origin : null);
  if (report) void run(() => stored(new URL(`api/reports/${report}`, base(location.href)), report));
  else if (link.has("evidence")) void run(async () => ({ files: [await bytes(new URL(`v1/evidence/${link.get("evidence")}`, base(location.href)))] }));
  else if (url) { text.value = url; void check(); }
}

async function stored(url: URL, checksum: string): Promise<Given> {
  const body = await bytes(url);
  if (isSecureContext && (await sha256(body)) !== checksum) throw new Error(t("explorer.report.differs"));
  return { files: [body] };
}

async function check(): Promise<void> {
  const files = await readFiles(dropped);
  await run(() => Promise.resolve(given(text.value, files)));
}

async function run(source: () => Promise<Given>): Promise<void> {
  const mine = ++asked;
  repeat = () => void run(source);
  quote.show(null);
  about.replaceChildren();
  origin.replaceChildren();
  chain.wait(t("checking"));
  const started = performance.now();
  try {
    const input = await source();
    if (!input.address && input.files.length === 0) throw new Error(t("explorer.nothing"));
    const result = !input.address ? await local(input.files, mine) : isFile(input.address) ? await linked(input.address, mine) : await remote(input.address, mine);
    if (mine !== asked) return;
    chain.show(result);
    describe(result, performance.now() - started);
  } catch (e) {
    if (mine === asked) chain.fail((e as Error).message);
  }
}

async function local(files: Uint8Array[], mine: number): Promise<Result> {
  const explanation = await opened(files, mine); // what a quote says can be read even where nothing can be judged
  const all = explanation?.needs && !fromFile() ? [...files, ...(await collateral(explanation.needs))] : files;
  return verifier().ask<Result>("appraise", all, options());
}

/** collateral is what the server of this page gets from Intel for a bare quote; none, with the reason shown, where it gets nothing. */
async function collateral(n: Needs): Promise<Uint8Array[]> {
  chain.wait(t("explorer.collateral"));
  try {
    const got = await fetched(base(location.href), n);
    origin.replaceChildren(t("explorer.collateral.from", n.fmspc.toUpperCase()));
    return [got];
  } catch (e) {
    origin.replaceChildren(t("explorer.collateral.failed", n.fmspc.toUpperCase(), (e as Error).message));
    return [];
  }
}

/** isFile: an address with a path names a file to fetch and judge, unless it is a page of an agent. */
function isFile(address: URL): boolean { return !/^\/((agent|chat|explorer|dashboard)\/?)?$/.test(address.pathname); }

/** linked judges the file at an address; the permalink of an upload stands for its bytes. */
async function linked(address: URL, mine: number): Promise<Result> {
  chain.wait(t("fetching"));
  const at = new URL(address.pathname.replace(/^\/reports\//, "/api/reports/") + address.search, address);
  const file = await bytes(at).catch((e: Error) => { throw new Error(t("explorer.unfetched", at.host, e.message)); });
  return local([file], mine);
}

async function remote(address: URL, mine: number): Promise<Result> {
  chain.wait(t("fetching"));
  const at = base(address);
  const session = new Session(at, options());
  await session.meet().catch((e: Error) => { throw new Error(t("explorer.unreachable", at.host, e.message)); });
  const result = await session.judge();
  await opened([await bytes(new URL("v1/evidence", at))], mine);
  return result;
}

/** opened shows the inside of the quote, if the files hold one. */
async function opened(files: Uint8Array[], mine: number): Promise<Explanation | null> {
  const explanation = await verifier().ask<Explanation>("explain", files, { at: options().at }).catch(() => null);
  if (mine === asked) quote.show(explanation);
  return explanation;
}

function options(): { at: string; allow_simulated: boolean; policy?: string } {
  const at = $<HTMLInputElement>("#at").value;
  return {
    at: at ? new Date(at).toISOString() : new Date().toISOString(),
    allow_simulated: $<HTMLInputElement>("#simulated").checked,
    policy: $<HTMLTextAreaElement>("#policy").value || undefined,
  };
}

function describe(r: Result, ms: number): void {
  about.replaceChildren(`${t("explorer.judged", date(r.judged_at))} · ${t("explorer.took", Math.round(ms))}`);
  about.dataset.took = String(Math.round(ms));
  const box = $<HTMLInputElement>("#simulated");
  if (r.simulated && !box.checked && !r.waived?.includes("hardware.root")) about.append(" ", h("button", { type: "button", id: "allow", onclick: () => { box.checked = true; repeat(); } }, t("explorer.allow")));
}

if (fromFile()) for (const node of document.querySelectorAll<HTMLElement>("[data-server]")) node.hidden = true;
