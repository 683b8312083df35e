// Two languages. Keys are English words with dots; a key without a text shows itself, so a gap is seen and a test fails.
import { en } from "./text/en";
import { zh } from "./text/zh";

export type Language = "en" | "zh";
export type Key = keyof typeof en;

const store = "teapot.language";
const texts: Record<Language, Record<Key, string>> = { en, zh };

export let language: Language = initial();

function initial(): Language {
  const asked = new URLSearchParams(location.search).get("lang") ?? remembered() ?? navigator.language;
  return asked.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** remembered is null where the page may not store (a file, a strict browser). */
function remembered(): string | null {
  try { return localStorage.getItem(store); } catch { return null; }
}

/** t is the text of a key; {0}, {1} … are filled in order. */
export function t(key: Key, ...values: (string | number)[]): string {
  return texts[language][key].replace(/\{(\d)\}/g, (_, n: string) => String(values[Number(n)] ?? ""));
}

/** known is t for words that come from outside (check ids, entry types): the word itself where we have no text. */
export function known(prefix: string, word: string): string {
  const key = `${prefix}.${word}` as Key;
  return key in en ? t(key) : word;
}

export function setLanguage(to: Language): void {
  language = to;
  try { localStorage.setItem(store, to); } catch { /* not remembered, still spoken */ }
  translate(document);
  document.dispatchEvent(new CustomEvent("teapot-language"));
}

/** translate fills the static parts of a page: data-t for text, data-t-label, data-t-placeholder for attributes. */
export function translate(root: ParentNode): void {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  const here = root.querySelector<HTMLElement>("nav [aria-current]")?.dataset.t as Key | undefined;
  if (here) document.title = `${t(here)} · Teapot`;
  for (const node of root.querySelectorAll<HTMLElement>("[data-t]")) node.textContent = t(node.dataset.t as Key);
  for (const node of root.querySelectorAll<HTMLElement>("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel as Key));
  for (const node of root.querySelectorAll<HTMLElement>("[data-t-placeholder]")) node.setAttribute("placeholder", t(node.dataset.tPlaceholder as Key));
}

/** ago says how long ago something was, in the reader's language. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  const form = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (seconds < 60) return form.format(-seconds, "second");
  if (seconds < 3600) return form.format(-Math.round(seconds / 60), "minute");
  if (seconds < 86400) return form.format(-Math.round(seconds / 3600), "hour");
  return form.format(-Math.round(seconds / 86400), "day");
}

export function date(value: string | number | Date, timeStyle: "short" | "medium" = "short"): string {
  const d = new Date(value);
  return Number.isNaN(d.getTime()) ? String(value) : d.toLocaleString(language, { dateStyle: "medium", timeStyle });
}
