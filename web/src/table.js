// The table beside the diagram: what the spec prints, and bars of what each row costs.

import { bytes, el, exact, short } from "./dom.js";
import { headline } from "./model.js";

const MEASURES = [["macs", "MACs", short], ["params", "params", short], ["memory", "activations", bytes]];

/** `told` hears of the row that the pointer or the keyboard is at (its path, or null), and of rows that are chosen. */
export function tables(data, told) {
  const several = data.networks.length > 1;
  return [
    several && stages(data),
    ...data.networks.map((network, i) => section(network, i, told, several)),
  ].filter(Boolean);
}

function section(network, number, told, named) {
  const rows = network.tables.flatMap((table) => table.rows);
  const most = Object.fromEntries(MEASURES.map(([what]) => [what, Math.max(1, ...rows.map((row) => row[what]))]));
  return el("section", { "aria-label": `Table of ${network.name}` },
    named && el("h2", {}, headline(network)),
    ...network.tables.map((table) =>
      el("table", { class: "rows" },
        el("thead", {}, el("tr", {},
          ...table.headers.map((header) => el("th", { scope: "col" }, header)),
          ...MEASURES.map(([, name]) => el("th", { scope: "col", class: "measure" }, name)))),
        el("tbody", {}, ...table.rows.map((row) => line(row, number, most, told))))));
}

function line(row, number, most, told) {
  const path = row.path;
  return el("tr", {
    tabindex: 0, "data-row": path, "data-network": number,
    onpointerenter: () => told.over(number, path), onpointerleave: () => told.over(number, null),
    onfocus: () => told.over(number, path), onblur: () => told.over(number, null),
    onclick: () => told.chose(number, path),
    onkeydown: (event) => keyed(event, () => told.chose(number, path)),
  },
    ...row.cells.map((text) => el("td", { class: text.length < 22 ? "short" : null }, text)),
    ...MEASURES.map(([what, name, said]) => el("td", { class: "measure", title: `${exact(row[what])} ${what === "memory" ? "bytes" : name}` },
      bar(row[what], most[what], what), el("span", {}, row[what] ? said(row[what]) : ""))));
}

function keyed(event, choose) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (step) event.currentTarget[step]?.focus();
  else if (event.key === "Enter" || event.key === " ") choose();
  else return;
  event.preventDefault();
}

function bar(value, most, what) {
  const made = el("i", { class: `bar ${what}` });
  made.style.width = `${(100 * value) / most}%`;
  made.hidden = !value;
  return made;
}

/** Networks beside each other, by how often their maps were halved. */
function stages(data) {
  const labels = new Map();
  for (const network of data.networks) for (const stage of network.stages) labels.set(stage.number, stage.label);
  const numbers = [...labels.keys()].sort((a, b) => a - b);
  const all = data.networks.flatMap((network) => network.stages);
  const most = Object.fromEntries(MEASURES.map(([what]) => [what, Math.max(1, ...all.map((stage) => value(stage, what)))]));
  const body = numbers.flatMap((number) =>
    data.networks.map((network, i) => {
      const stage = network.stages.find((found) => found.number === number);
      return el("tr", { class: i ? "" : "first" },
        i === 0 && el("th", { scope: "rowgroup", rowspan: data.networks.length }, labels.get(number)),
        el("td", {}, network.name),
        el("td", {}, stage ? stage.heights.map((height) => `${height}²`).join(" ") : ""),
        ...MEASURES.map(([what, , said]) => el("td", { class: "measure" },
          stage && bar(value(stage, what), most[what], what), el("span", {}, stage && value(stage, what) ? said(value(stage, what)) : ""))));
    }));
  const total = data.networks.map((network) =>
    el("tr", { class: "total" }, el("th", { scope: "row" }, ""), el("td", {}, network.name), el("td", {}, "total"),
      ...MEASURES.map(([what, , said]) => el("td", { class: "measure" },
        el("span", {}, said(network.stages.reduce((sum, stage) => sum + value(stage, what), 0)))))));
  return el("section", { "aria-label": "Stages" },
    el("h2", {}, "By stage"),
    el("table", { class: "stages" },
      el("thead", {}, el("tr", {}, ...["share", "network", "maps"].map((name) => el("th", { scope: "col" }, name)),
        ...MEASURES.map(([, name]) => el("th", { scope: "col", class: "measure" }, name)))),
      el("tbody", {}, ...body, ...total)));
}

const value = (stage, what) => (what === "memory" ? stage.activations : stage[what]);
