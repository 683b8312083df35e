// The page's words for what the verifier says. They come out of the verifier itself (op "words"), where a test holds them against
// its source: a check without a Chinese text cannot be built. The verifier's own sentence, with the facts of the case, is English
// and stands beside them.
import { language } from "../i18n";
import type { Check } from "../result";

interface CheckWords { en: string; zh: string; passed: string; failed: string; warning?: string; not_checked?: string; remedy: string; remedy_warning?: string; remedy_not_checked?: string }
export interface Words { checks: Record<string, CheckWords>; fields: Record<string, { en: string; zh: string; says?: string }>; sentences: Record<string, string> }

let words: Words = { checks: {}, fields: {}, sentences: {} };
let patterns: [RegExp, string][] = [];

/** learn takes the verifier's list. */
export function learn(list: Words | undefined): void {
  if (!list) return;
  words = list;
  patterns = Object.entries(list.sentences).filter(([en]) => en.includes("{}")).map(([en, zh]) => [pattern(en), zh]);
}

function pattern(en: string): RegExp { return new RegExp(`^${en.split("{}").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.+?)")}$`); }

/** checkTitle is what a check asks; undefined for one that has no words here. */
export function checkTitle(id: string): string | undefined { return words.checks[id]?.[language]; }

/** meaning of a check's outcome in the reader's language; undefined where the verifier's own sentence is all there is. */
export function meaning(c: Check): string | undefined {
  const w = language === "zh" ? words.checks[c.id] : undefined;
  if (!w) return undefined;
  if (c.outcome === "warning") {
    const by = /\(waived by (.+)\)$/.exec(c.detail)?.[1];
    if (by === "the policy" && w.warning) return undefined; // a failure or a warning was waived: only the original says which
    return (w.warning ?? w.failed) + (by ? "（已豁免）" : "");
  }
  return c.outcome === "not_checked" ? w.not_checked ?? "未检查：此类材料不含这一项，或没有可供比较的内容。" : w[c.outcome];
}

/** remedy in the reader's language; undefined where the verifier gives none. */
export function remedy(c: Check): string | undefined {
  const w = language === "zh" ? words.checks[c.id] : undefined;
  if (!c.remedy || !w) return c.remedy;
  return (c.outcome === "warning" && w.remedy_warning) || (c.outcome === "not_checked" && w.remedy_not_checked) || w.remedy;
}

/** field is what a field of a quote is, by its name, and what this value of it means where that says more. */
export function field(name: string, note: string | undefined): string {
  const w = words.fields[name] ?? words.fields[name.replace(/^qe_report\./, "")];
  const value = note && note !== w?.says ? sentence(note) : "";
  return [w?.[language], value].filter(Boolean).join(language === "zh" ? "：" : ": ");
}

/** sentence is one of the verifier's fixed sentences in the reader's language, or several of them; else what it was. */
export function sentence(text: string): string {
  if (language === "en") return text;
  return one(text) ?? several(text, /(?<=\.) /, "") ?? several(text, /, /, "、") ?? text;
}

function one(text: string): string | undefined {
  const exact = words.sentences[text];
  if (exact !== undefined) return exact;
  if (/^[A-Z0-9_]+$/.test(text)) return text;
  for (const [en, zh] of patterns) {
    const found = en.exec(text);
    let next = 1;
    if (found) return zh.replace(/\{(\d?)\}/g, (_, n: string) => found[n ? Number(n) + 1 : next++] ?? "");
  }
  return undefined;
}

function several(text: string, between: RegExp, glue: string): string | undefined {
  const parts = text.split(between).map(one);
  return parts.includes(undefined) ? undefined : parts.join(glue);
}
