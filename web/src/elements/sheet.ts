// The sheet in which the operator writes a character: to start an agent with it, or to give a running one another.
import { h } from "../dom";
import { t } from "../i18n";

/** sheet opens a dialog over `host`; `apply` gets a JSON object and returns what was wrong, "" for nothing. While something is
    wrong the sheet says so and stays open, with what was written. */
export function sheet(host: HTMLElement, title: string, text: string, apply: (character: object) => Promise<string>): void {
  const field = h("textarea", { id: "character", rows: 16, spellcheck: false, "aria-describedby": "character-problem" });
  field.value = text;
  const problem = h("p", { class: "error", role: "alert", id: "character-problem" });
  const shut = (): void => { dialog.close(); dialog.remove(); };
  const main = h("button", { class: "main" }, t("dash.apply"));
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    problem.textContent = "";
    main.disabled = true;
    const given = parsed(field.value);
    const wrong = typeof given === "string" ? given : await apply(given);
    main.disabled = false;
    if (!wrong) { shut(); return; }
    problem.textContent = wrong;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  };
  const dialog = h("dialog", { class: "sheet", "aria-labelledby": "sheet-title", onclose: () => dialog.remove() }, h("form", { class: "ask", onsubmit: submit },
    h("h2", { id: "sheet-title" }, title), h("p", { class: "soft small" }, t("dash.character.why")),
    h("label", { for: "character" }, t("dash.character.json")), field, problem,
    h("div", { class: "row" }, main, h("button", { type: "button", class: "plain", onclick: shut }, t("cancel")))));
  host.append(dialog);
  dialog.showModal();
  field.focus();
}

/** parsed is the object, or what is wrong with the text. */
function parsed(text: string): object | string {
  try {
    const v = JSON.parse(text) as unknown;
    return typeof v === "object" && v !== null && !Array.isArray(v) ? v : t("dash.character.object");
  } catch (e) { return (e as Error).message; }
}
