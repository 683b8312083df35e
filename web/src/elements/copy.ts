// A value with a button that copies it.
import { h } from "../dom";
import { icon } from "../icons";
import { t } from "../i18n";

export function copyable(value: string): HTMLElement {
  const said = h("span", { class: "sr", role: "status" });
  const button = h("button", { type: "button", class: "plain tiny", "aria-label": t("copy"), title: t("copy"), onclick: () => {
    void navigator.clipboard.writeText(value).then(() => { said.textContent = t("copied"); button.classList.add("done"); setTimeout(() => button.classList.remove("done"), 1200); });
  } }, icon("copy", 16));
  return h("span", { class: "copyable" }, h("code", null, value), button, said);
}
