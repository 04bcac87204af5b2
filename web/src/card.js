// What is said of the box that the pointer or the keyboard is at.

import { bytes, el, exact, range } from "./dom.js";

export class Card {
  constructor(host) {
    this.element = el("aside", { class: "card", role: "status", hidden: true });
    this.host = host;
    host.append(this.element);
  }

  hide() {
    this.element.hidden = true;
  }

  /** To the right of the box, or where there is no room, to its left; beside the pointer where the box is wide. */
  show(entry, model, event, box) {
    this.element.replaceChildren(...described(entry, model));
    this.element.hidden = false;
    const around = this.host.getBoundingClientRect();
    const at = box.getBoundingClientRect();
    const size = this.element.getBoundingClientRect();
    const right = Math.min(at.right, event ? event.clientX + 260 : around.right);
    const left = right + 12 + size.width <= around.right ? right + 12 : Math.max(around.left, at.left - size.width - 12);
    const top = Math.max(at.top, event ? event.clientY - 40 : around.top);
    this.element.style.left = `${Math.max(4, left - around.left)}px`;
    this.element.style.top = `${Math.max(4, Math.min(top - around.top, around.height - size.height - 4))}px`;
  }
}

function described(entry, model) {
  const { item, last } = entry;
  const data = item.data;
  const network = model.roots[item.network];
  const passes = model.passes(item);
  const said = (what, written) => {
    const sums = model.sums(entry, what);
    if (!Math.max(...sums)) return null;
    const each = last === item ? "" : ` (${range(passes.map((pass) => pass.data[what]), written)} each)`;
    return range(sums, written) + each;
  };
  const table = network.data.tables.find((found) => found.rows.some((row) => row.path === data.row));
  const row = table?.rows.find((found) => found.path === data.row);
  const rows = [
    ["gives", last.data.shape],
    ...[["params", "params"], ["macs", "MACs"]].map(([what, name]) => [name, said(what, exact)]),
    ["activations", said("memory", (count) => bytes(count))],
    data.nodes ? ["operators", range(model.sums(entry, "nodes"), exact)] : null,
    row ? ["row", row.cells.map((cell, i) => `${table.headers[i] ?? ""} ${cell}`.trim()).join(" · ")] : null,
  ].filter((found) => found?.[1]);
  const layers = data.layers ?? lasting(item);
  return [
    el("h3", {}, data.title || layers.map((layer) => layer.text).join(", ")),
    ...(data.notes ?? []).map((note) => el("p", {}, note)),
    el("dl", {}, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    layers.length > 0 && passes.length > 1 && el("p", {}, `the first of ${passes.length}:`),
    layers.length > 0 && el("table", {},
      el("thead", {}, el("tr", {}, ...["operator", "takes", "gives", "params", "MACs", "sees"].map((name) => el("th", {}, name)))),
      el("tbody", {}, ...layers.map((layer) =>
        el("tr", {}, el("td", {}, layer.text), el("td", {}, layer.input), el("td", {}, layer.shape),
          el("td", {}, layer.params ? exact(layer.params) : ""), el("td", {}, layer.macs ? exact(layer.macs) : ""), el("td", {}, layer.field))))),
    el("p", { class: "path" }, data.path, layers[0]?.at ? ` · ${layers[0].at}` : ""),
  ].filter(Boolean);
}

/** The last operators of a box of several: what they see is what it sees. */
function lasting(item) {
  let at = item;
  while (at.children.length) at = at.children[at.children.length - 1];
  return at === item || !at.data.layers ? [] : at.data.layers.slice(-1);
}
