// Line icons, 24 by 24. Each outcome has its own shape: colour is never the only carrier of meaning.
import { s } from "./dom";

const paths: Record<string, string[]> = {
  passed: ["M12 2.8a9.2 9.2 0 1 0 0 18.4 9.2 9.2 0 0 0 0-18.4z", "m7.8 12.4 2.9 2.9 5.6-6.2"],
  warning: ["M12 3.4 21.6 20H2.4z", "M12 10v4.6", "M12 17.2v.1"],
  failed: ["M8.2 2.8h7.6l5.4 5.4v7.6l-5.4 5.4H8.2l-5.4-5.4V8.2z", "m9 9 6 6m0-6-6 6"],
  not_checked: ["M12 2.8a9.2 9.2 0 1 0 0 18.4 9.2 9.2 0 0 0 0-18.4z", "M9.6 9.4a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.8", "M12 16.8v.1"],
  pending: ["M12 2.8a9.2 9.2 0 0 1 9.2 9.2"],
  shield: ["M12 2.6 4.4 5.4v6c0 4.8 3.1 8.3 7.6 10 4.5-1.7 7.6-5.2 7.6-10v-6z"],
  hardware: ["M6.5 6.5h11v11h-11z", "M9.8 9.8h4.4v4.4H9.8z", "M9 6.5V3m6 3.5V3M9 21v-3.5m6 3.5v-3.5M6.5 9H3m3.5 6H3m18-6h-3.5m3.5 6h-3.5"],
  tcb: ["M12 2.6 4.4 5.4v6c0 4.8 3.1 8.3 7.6 10 4.5-1.7 7.6-5.2 7.6-10v-6z", "M12 8v4l2.6 1.8"],
  code: ["m8.5 7-5 5 5 5m7-10 5 5-5 5", "m13.6 4.5-3.2 15"],
  keys: ["M8.2 19.6a4.2 4.2 0 1 1 3-7.2l8-8.2m-3.4 3.4 2.6 2.6m-5.2 0 1.9 1.9", "M8.2 15.4v.1"],
  log: ["M5 3.5h14v17H5z", "M8.5 8h7m-7 4h7m-7 4h4.5"],
  entry: ["M4 5h16v11.5h-8.5L7 20.5v-4H4z", "m8.8 10.6 2.2 2.2 4.2-4.4"],
  session: ["M5.5 10.5h13V20h-13z", "M8.2 10.5V7.4a3.8 3.8 0 0 1 7.6 0v3.1"],
  open: ["m7 10 5 5 5-5"],
  copy: ["M8.5 8.5h11v11h-11z", "M15.5 5.5v-1h-11v11h1"],
  save: ["M12 3.5v11m-4.5-4 4.5 4.5 4.5-4.5", "M4 20h16"],
  lock: ["M5.5 10.5h13V20h-13z", "M8.2 10.5V7.4a3.8 3.8 0 0 1 7.6 0v3.1"],
  unlock: ["M5.5 10.5h13V20h-13z", "M8.2 10.5V7.4a3.8 3.8 0 0 1 7.3-1.5"],
  send: ["M4 12 20.5 4 16 20.5l-4.4-6z", "m11.6 14.5 4.6-5.4"],
  boot: ["M12 3v8", "M7 5.6a8 8 0 1 0 10 0"],
  message: ["M4 5h16v11.5h-8.5L7 20.5v-4H4z"],
  model: ["M12 3.5v3m0 11v3m8.5-8.5h-3m-11 0h-3M18 6l-2.1 2.1M8.1 15.9 6 18m12 0-2.1-2.1M8.1 8.1 6 6", "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z"],
  action: ["M13 2.8 5 13.6h6l-1 7.6 8-10.8h-6z"],
  result: ["M4 12.5 9.5 18 20 6.5"],
};

/** icon is decoration: the text beside it says the same. */
export function icon(name: string, size = 20): SVGElement {
  return s("svg", { viewBox: "0 0 24 24", width: size, height: size, class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false" },
    (paths[name] ?? paths.log ?? []).map((d) => s("path", { d })));
}
