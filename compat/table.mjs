// Writes the results of scripts/compat.sh into docs/compat.md, between the two marker lines.
// usage: node table.mjs results.tsv compat.md
import { readFileSync, writeFileSync } from "node:fs";

const [results, page] = process.argv.slice(2);
const begin = "<!-- table: written by make compat -->";
const end = "<!-- end of table -->";

const rows = new Map(); // client → check → transport → outcome
for (const line of readFileSync(results, "utf8").trim().split("\n")) {
  const [outcome, client, transport, check] = line.split("\t");
  if (outcome !== "ok" && outcome !== "FAIL") continue; // what clients print themselves
  const checks = rows.get(client) ?? new Map();
  rows.set(client, checks.set(check, { ...checks.get(check), [transport]: outcome }));
}

const label = (client) => client.replace("sdk-", "@phala/dstack-sdk ").replace(/^(tee|sgx)-/, "@elizaos/plugin-$1 ");
let table = "| client | passed, over TCP and unix socket (plugin-sgx: FUSE and named pipes) | failed |\n|---|---|---|\n";
for (const [client, checks] of rows) {
  const good = [], bad = [];
  for (const [check, by] of checks) {
    const wrong = (client.startsWith("sgx") ? ["default", "pipes"] : ["tcp", "unix"]).filter((t) => by[t] !== "ok");
    wrong.length ? bad.push(`${check} (${wrong.join(", ")})`) : good.push(check);
  }
  table += `| ${label(client)} | ${good.join(", ")} | ${bad.join(", ") || "none"} |\n`;
}

const text = readFileSync(page, "utf8");
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < from) throw new Error(`${page} has no marker lines`);
writeFileSync(page, text.slice(0, from + begin.length) + "\n" + table + text.slice(to));
