// A verdict in one sentence, in the reader's language.
import { language, t } from "./i18n";
import { links, type Outcome, type Result } from "./result";
import { checkTitle, meaning } from "./text/words";

/** headline is the verifier's; a bare quote that nothing contradicts gets one that says what a quote can show at all. */
export function headline(r: Result): string {
  if (r.kind !== "quote" || r.tier === "contraindicated" || r.simulated) return language === "zh" ? inChinese(r) : r.headline || t(`tier.${r.tier}`);
  const all = links(r.checks);
  const state = (name: string): Outcome => all.find((l) => l.name === name)?.outcome ?? "not_checked";
  if (state("hardware") !== "passed") return r.headline;
  const firmware = r.checks.find((c) => c.id === "tcb.status");
  const code = state("code") === "passed" ? "quote.code.known" : "quote.code.unknown";
  return t(state("tcb") === "passed" ? "quote.genuine" : "quote.genuine.short", firmware?.got ?? "?") + " " + t(code);
}

/** inChinese says what the verifier's headline says, from the same facts; the English one stands below it. */
function inChinese(r: Result): string {
  const worst = r.checks.find((c) => c.outcome === "failed") ?? r.checks.find((c) => c.outcome !== "passed" && !r.waived?.includes(c.id));
  const what = worst ? meaning(worst) ?? checkTitle(worst.id) ?? worst.id : "";
  if (r.tier === "contraindicated") return `${r.simulated ? t("simulated") + "，" : ""}存在矛盾：${what}`;
  if (r.tier === "affirming") return "真实硬件运行着您期望的代码，每个环节都成立";
  if (r.exit !== 0) return `未被接受：${what}`;
  return r.simulated ? "模拟环境：每个环节都成立，但信任链终止于模拟器的根证书，不能证明任何硬件" : t("tier.warning");
}
