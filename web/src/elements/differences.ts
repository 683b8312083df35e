// Measurements that are not the expected ones, side by side. The verifier says them in one line for a terminal ("policy: mrtd is …,
// want … or …; rtmr0 is …"); what does not read so is shown as it stands.
import { h } from "../dom";
import { t } from "../i18n";

interface Difference { table: string; name: string; got: string; want: string[] }

const one = /([a-z0-9_]+) is ([0-9a-f]{16,}|not there), want ([0-9a-f]{16,}(?: or [0-9a-f]{16,})*)/g;

function differences(want: string): Difference[] {
  return want.split(" | ").flatMap((part) => {
    const table = part.slice(0, Math.max(0, part.indexOf(": ")));
    return [...part.matchAll(one)].map(([, name, got, list]) => ({ table, name: name!, got: got!, want: list!.split(" or ") }));
  });
}

/** measured is a table of what differs; null where the text names no measurements. */
export function measured(want: string | undefined): HTMLElement | null {
  const list = differences(want ?? "");
  if (!list.length) return null;
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("differences") }, h("table", { class: "differences" },
    h("caption", null, t("differences")),
    h("thead", null, h("tr", null, [t("differences.register"), t("got"), t("want")].map((x) => h("th", { scope: "col" }, x)))),
    h("tbody", null, list.map((d) => h("tr", { "data-register": d.name }, h("th", { scope: "row" }, d.name, d.table ? h("small", { class: "soft" }, d.table) : null),
      h("td", { "data-label": t("got") }, h("code", null, marked(d.got, d.want[0]!))), h("td", { "data-label": t("want") }, d.want.map((w) => h("code", null, w))))))));
}

/** listed puts measurements of one line ("mrtd …, rtmr0 …") on lines of their own. */
export function listed(got: string): string { return /^([a-z0-9_]+ [0-9a-f]{16,}(, |$))+$/.test(got) ? got.replaceAll(", ", "\n") : got; }

/** marked marks the characters of two hex strings of one length that are not the same. */
export function marked(got: string, want: string): (string | HTMLElement)[] {
  if (got.length !== want.length || !/^[0-9a-f]{16,}$/i.test(got)) return [got];
  const out: (string | HTMLElement)[] = [];
  for (let i = 0; i < got.length;) {
    const same = got[i] === want[i];
    let j = i;
    while (j < got.length && (got[j] === want[j]) === same) j++;
    out.push(same ? got.slice(i, j) : h("span", { class: "differs" }, got.slice(i, j)));
    i = j;
  }
  return out;
}
