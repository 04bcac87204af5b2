// The diagram, its table and what steers them, as one part of a page.

import { Card } from "./card.js";
import { Diagram } from "./diagram.js";
import { el, exact } from "./dom.js";
import { headline, Model } from "./model.js";
import { tables } from "./table.js";

const LEVELS = [["row", "Rows"], ["block", "Blocks"], ["layer", "Layers"]];

export class Explorer {
  constructor(host, { title = true } = {}) {
    this.model = new Model();
    this.stage = el("div", { class: "stage" });
    this.side = el("div", { class: "side", "aria-label": "Tables" });
    this.titled = title;
    this.heading = el("div", { class: "heading" });
    this.search = el("input", {
      type: "search", placeholder: "Search  ( / )", "aria-label": "Search the network", spellcheck: "false",
      oninput: () => this.searched(), onkeydown: (event) => this.searching(event),
    });
    this.hits = el("output", { class: "hits", "aria-live": "polite" });
    this.levels = LEVELS.map(([level, name]) => button(name, () => this.setLevel(level), { "data-level": level }));
    this.fold = button("×N", () => this.setFold(!this.model.folds), { title: "Show boxes alike as one, or each" });
    this.legend = el("ul", { class: "legend", "aria-label": "Colours" });
    host.append(
      el("header", {},
        this.heading,
        el("div", { class: "tools", role: "toolbar", "aria-label": "View" },
          el("span", { class: "group" }, ...this.levels), this.fold,
          el("span", { class: "group" },
            button("−", () => this.diagram.scale(1 / 1.3), { "aria-label": "Zoom out" }),
            button("+", () => this.diagram.scale(1.3), { "aria-label": "Zoom in" }),
            button("Fit", () => this.diagram.fit())),
          button("◐", () => this.setTheme(this.theme === "dark" ? "light" : "dark"), { "aria-label": "Light or dark" }),
          this.search, this.hits)),
      (this.main = el("main", {}, this.stage, this.side)),
      this.legend);
    this.card = new Card(this.main);
    this.diagram = new Diagram(this.stage, this.model, {
      over: (entry, event, box) => this.overBox(entry, event, box),
      chose: (entry) => this.choseBox(entry),
      changed: () => this.card.hide(),
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/INPUT|TEXTAREA/.test(event.target.tagName) && !event.target.isContentEditable) {
        event.preventDefault();
        this.search.focus();
      }
    });
    new ResizeObserver(() => this.resized()).observe(this.stage);
  }

  /** Show networks; the first time, from their top. */
  show(data) {
    const first = !this.data;
    this.data = data;
    this.model.show(data);
    if (first) this.setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    this.heading.replaceChildren(...(this.titled ? data.networks.map(heading) : []));
    this.side.replaceChildren(...tables(data, { over: (i, path) => this.overRow(i, path), chose: (i, path) => this.choseRow(i, path) }));
    const used = new Set(this.model.items.flatMap((item) => [item.data.family, ...(item.data.layers ?? []).map((layer) => layer.family)]));
    this.legend.replaceChildren(...Object.entries(data.families)
      .filter(([family]) => used.has(family) && family !== "input")
      .map(([family, said]) => el("li", {}, el("i", { class: `swatch f-${family}` }), said)));
    this.pressed();
    this.diagram.draw();
    if (first) this.diagram.fit(true);
    if (this.search.value) this.searched();
  }

  resized() {
    if (!this.data) return;
    this.diagram.measure();
    this.diagram.cull();
  }

  setTheme(theme) {
    this.theme = theme;
    const root = document.documentElement;
    root.dataset.theme = theme;
    for (const [name, value] of Object.entries(this.data.themes[theme])) {
      if (name === "fills") for (const [family, color] of Object.entries(value)) root.style.setProperty(`--f-${family}`, color);
      else root.style.setProperty(`--${name}`, value);
    }
  }

  setLevel(level) {
    this.model.setLevel(level);
    this.pressed();
    this.card.hide();
    this.diagram.draw();
    this.diagram.fit(true);
  }

  setFold(folds) {
    this.model.setFold(folds);
    this.pressed();
    this.diagram.draw();
  }

  pressed() {
    for (const made of this.levels) made.setAttribute("aria-pressed", String(made.dataset.level === this.model.level));
    this.fold.setAttribute("aria-pressed", String(this.model.folds));
  }

  // ---- the diagram and the table, each from the other ----

  overBox(entry, event = null, box = null) {
    if (!entry) {
      this.card.hide();
      this.light(null, null);
      return;
    }
    this.card.show(entry, this.model, event, box);
    this.light(entry.item.network, entry.item.data.row, true);
  }

  choseBox(entry) {
    this.row(entry.item.network, entry.item.data.row)?.scrollIntoView({ block: "nearest" });
  }

  overRow(number, path) {
    this.light(path === null ? null : number, path);
  }

  choseRow(number, path) {
    const item = this.model.items.find((found) => found.network === number && found.depth === 0 && found.data.path === path);
    if (item) this.diagram.reveal(item);
  }

  row(number, path) {
    return [...this.side.querySelectorAll("tr[data-row]")].find((row) => row.dataset.row === path && Number(row.dataset.network) === number);
  }

  light(number, path, scroll = false) {
    for (const row of this.side.querySelectorAll("tr.lit")) row.classList.remove("lit");
    const row = path && this.row(number, path);
    row?.classList.add("lit");
    if (scroll && row) row.scrollIntoView({ block: "nearest" });
    this.diagram.mark({ lit: path ? (item) => item.depth === 0 && item.network === number && item.data.row === path : null });
  }

  // ---- search ----

  searched() {
    this.results = this.model.search(this.search.value);
    this.result = -1;
    this.hits.textContent = this.search.value.trim() ? `${this.results.length} found` : "";
    this.diagram.mark({ found: new Set(this.results) });
  }

  searching(event) {
    if (event.key === "Escape") {
      this.search.value = "";
      this.searched();
      this.search.blur();
    } else if (event.key === "Enter" && this.results?.length) {
      const count = this.results.length;
      this.result = (this.result + (event.shiftKey ? -1 : 1) + count) % count;
      this.hits.textContent = `${this.result + 1} of ${count}`;
      this.diagram.reveal(this.results[this.result]);
    }
  }
}

function button(text, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, text);
}

function heading(network) {
  return el("div", {},
    el("h1", {}, headline(network)),
    el("p", {}, `${exact(network.params)} params · ${exact(network.macs)} MACs · ${exact(network.nodes)} operators`,
      network.cite.length ? ` · ${network.cite.join(", ")}` : ""),
    network.note ? el("p", {}, network.note) : null);
}
