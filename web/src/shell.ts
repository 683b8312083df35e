// What all pages share: language and colour switches, the place the page came from, its hash.
import { $, h } from "./dom";
import { language, setLanguage, t, translate } from "./i18n";

export function shell(): void {
  translate(document);
  const button = $<HTMLButtonElement>("#language");
  const label = (): void => { button.textContent = language === "zh" ? "English" : "中文"; button.lang = language === "zh" ? "en" : "zh-Hans"; };
  label();
  button.addEventListener("click", () => { setLanguage(language === "zh" ? "en" : "zh"); label(); });
  colours();
  void provenance();
}

/** colours: the system's choice unless the reader chose; the choice is remembered where the browser allows. */
function colours(): void {
  const button = $<HTMLButtonElement>("#colours");
  const root = document.documentElement;
  try { root.dataset.theme = localStorage.getItem("teapot.theme") ?? ""; } catch { /* the system's choice */ }
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("teapot.theme", root.dataset.theme); } catch { /* not remembered */ }
  });
}

export function fromFile(): boolean { return location.protocol === "file:" || document.getElementById("inline-worker") !== null; }

/** provenance: a page served by the agent it checks is convenience, not proof. */
async function provenance(): Promise<void> {
  const note = $("#provenance");
  const draw = (hash?: string): void => note.replaceChildren(
    h("strong", null, t(fromFile() ? "from.file" : "from.server")), " ", t(fromFile() ? "from.file.why" : "from.server.why"),
    ...(hash ? [" ", t("from.hash"), " ", h("code", { class: "hash" }, hash)] : []));
  draw();
  if (fromFile()) return;
  const manifest = await fetch(new URL("manifest.json", import.meta.url)).then((r) => r.json() as Promise<{ sha256: string }>).catch(() => undefined);
  draw(manifest?.sha256);
  document.addEventListener("teapot-language", () => draw(manifest?.sha256));
}
