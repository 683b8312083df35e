// A value with a button that copies it.
import { h } from "../dom";
import { icon } from "../icons";
import { t } from "../i18n";

export function copyable(value: string): HTMLElement {
  const code = h("code", null, value);
  const said = h("span", { class: "sr", role: "status" });
  const button = h("button", { type: "button", class: "plain tiny", "aria-label": t("copy"), title: t("copy"), onclick: () => {
    void copied(value, code).then((ok) => { if (!ok) return; said.textContent = t("copied"); button.classList.add("done"); setTimeout(() => button.classList.remove("done"), 1200); });
  } }, icon("copy", 16));
  return h("span", { class: "copyable" }, code, button, said);
}

/** copied puts the value on the clipboard. Browsers give pages on plain http from another machine no clipboard: there the value is
    selected, and copied the old way where that still works. */
async function copied(value: string, shown: HTMLElement): Promise<boolean> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) return clipboard.writeText(value).then(() => true, () => false);
  getSelection()?.selectAllChildren(shown);
  return document.execCommand("copy");
}
