// Wallet addresses with QR codes. The addresses are those of the boot statement as the verifier read it.
import { h, s } from "../dom";
import { t } from "../i18n";
import type { Wallet } from "../result";
import { verifier } from "../verifier";
import { copyable } from "./copy";

interface Code { size: number; rows: string[] } // rows of 0 and 1

const names: Record<string, string> = { solana: "Solana", evm: "EVM" };

/** wallets shows a verified list; undefined is one that nobody has verified yet, of which nothing is said. */
export function wallets(list: Wallet[] | undefined, simulated: boolean): HTMLElement {
  return h("section", { class: "card wallets" }, h("h2", null, t("wallets.title")),
    list ? h("p", { class: "soft small" }, t(list.length ? "wallets.intro" : "wallets.none")) : null,
    simulated && list?.length ? h("p", { class: "notice sim" }, t("wallets.test")) : null,
    h("ul", { class: "plainlist wallet-list" }, list?.map(wallet)));
}

function wallet(w: Wallet): HTMLElement {
  const code = h("div", { class: "qr", role: "img", "aria-label": t("wallets.qr", w.address) });
  void verifier().ask<Code>("qr", [new TextEncoder().encode(w.address)]).then((c) => code.replaceChildren(draw(c)), () => code.remove());
  return h("li", { "data-chain": w.chain }, code, h("div", null, h("strong", null, names[w.chain] ?? w.chain), w.shared ? h("span", { class: "tag", "data-o": "warning" }, t("wallets.shared")) : null, copyable(w.address)));
}

/** draw makes one path of all dark modules, with the quiet zone that scanners need. */
function draw(c: Code): SVGElement {
  const d = c.rows.flatMap((row, y) => [...row].map((bit, x) => (bit === "1" ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  return s("svg", { viewBox: `0 0 ${c.size + 8} ${c.size + 8}`, "shape-rendering": "crispEdges" }, s("path", { d: `M0 0h${c.size + 8}v${c.size + 8}H0z`, fill: "#fff" }), s("path", { d, fill: "#111" }));
}
