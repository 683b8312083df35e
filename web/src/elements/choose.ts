// Choosing one of several agents that live under one address: the choice stands in the page's address, so it can be linked to.
import type { AgentRow } from "../api";
import { h } from "../dom";
import { t } from "../i18n";

export function chooser(all: AgentRow[], chosen: string | undefined): HTMLElement {
  const select = h("select", { id: "choose", onchange: () => { location.search = `?agent=${encodeURIComponent(select.value)}`; } },
    all.map((a) => h("option", { value: a.id, selected: a.id === chosen }, a.name)));
  return h("div", { class: "choose" }, h("label", { for: "choose" }, t("agent.choose")), select);
}
