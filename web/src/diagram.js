// The diagram: draws what `layout` placed, pans, zooms, opens and closes, and can be walked with the keyboard.

import { select } from "d3-selection";
import { curveBasis, line as curve } from "d3-shape";
import { zoom, zoomIdentity } from "d3-zoom";
import { exact, range, svg, width } from "./dom.js";
import { arrange, heights } from "./layout.js";
import { headline } from "./model.js";

const path = curve((point) => point.x, (point) => point.y).curve(curveBasis);
const MARGIN = 24;

export class Diagram {
  /** `told` hears of what the pointer or the keyboard is at (an entry or null), and of boxes that are chosen. */
  constructor(host, model, told) {
    this.host = host;
    this.model = model;
    this.told = told;
    this.layer = svg("g");
    this.svg = svg("svg", { class: "diagram", role: "group", "aria-label": "Diagram of the network" }, this.layer);
    host.append(this.svg);
    this.shown = new Map();
    this.zoom = zoom()
      .scaleExtent([0.02, 4])
      .filter((event) => (event.type === "wheel" ? event.ctrlKey || event.metaKey : !event.button))
      .on("zoom", (event) => this.moved(event.transform));
    select(this.svg).call(this.zoom).on("dblclick.zoom", null);
    this.svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("pointerleave", () => this.told.over(null));
    this.at = zoomIdentity;
    this.current = null;
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const step = event.deltaMode === 1 ? 16 : 1;
    select(this.svg).call(this.zoom.translateBy, (-event.deltaX * step) / this.at.k, (-event.deltaY * step) / this.at.k);
  }

  moved(transform) {
    this.at = transform;
    this.layer.setAttribute("transform", transform);
    this.svg.classList.toggle("far", transform.k < 0.35);
    this.cull();
  }

  /** Only what is in sight is drawn: a network of a thousand boxes moves like one of ten. */
  cull() {
    const { k, x, y } = this.at;
    const view = { left: -x / k, top: -y / k, right: (this.wide - x) / k, bottom: (this.high - y) / k };
    // what is drawn first is below, whenever it comes into sight: no frame covers the edges in it
    let above = null;
    for (const part of this.parts.toReversed()) {
      const seen = part.x < view.right && part.x + part.w > view.left && part.y < view.bottom && part.y + part.h > view.top;
      if (seen !== Boolean(part.seen)) {
        part.seen = seen;
        if (seen) this.layer.insertBefore(part.element ?? (part.element = part.make()), above);
        else part.element.remove();
      }
      if (seen) above = part.element;
    }
  }

  measure() {
    const box = this.host.getBoundingClientRect();
    this.wide = box.width || 800;
    this.high = box.height || 600;
  }

  /** Draw anew. `keep` is the item whose box stays where it is on the screen. */
  draw(keep = null) {
    this.measure();
    const before = keep && this.shown.get(keep.key);
    const focused = this.svg.contains(document.activeElement);
    this.arranged = arrange(this.model);
    this.shown = new Map();
    this.order = [];
    this.parts = [];
    this.layer.replaceChildren();
    for (const place of this.arranged.networks) this.place(place);
    if (this.arranged.networks.length > 1) this.bands();
    const after = keep && this.shown.get(keep.key);
    if (before && after) {
      const { k } = this.at;
      const to = this.at.translate(before.x - after.x, before.y - after.y);
      select(this.svg).call(this.zoom.transform, zoomIdentity.translate(to.x, to.y).scale(k));
    }
    this.cull();
    this.current = this.shown.get((keep ?? this.current?.entry.item)?.key) ?? this.order[0];
    if (focused) this.focus(this.current);
  }

  place({ inner, x, y, root, title: said, move }) {
    if (this.arranged.networks.length > 1) {
      const title = svg("text", { class: "title", x, y: y - 14 }, said, svg("title", {}, headline(root.data)));
      this.parts.push({ x, y: y - 30, w: 400, h: 20, make: () => title });
    }
    for (const edge of inner.edges) {
      const points = edge.points.map((point) => ({ x: point.x + x, y: move(point.y) + y }));
      const at = edge.at && { x: edge.at.x + x, y: move(edge.at.y) + y };
      this.part(points, () => this.edge(edge, points, at));
    }
    for (const box of inner.boxes) this.box(box, x, y, move, null);
  }

  part(points, make) {
    const xs = points.map((point) => point.x);
    const ys = points.map((point) => point.y);
    const left = Math.min(...xs) - 80;
    const top = Math.min(...ys) - 10;
    this.parts.push({ x: left, y: top, w: Math.max(...xs) + 80 - left, h: Math.max(...ys) + 10 - top, make });
  }

  edge(edge, points, at) {
    const drawn = svg("path", { d: path(points), class: edge.skip ? "edge skip" : "edge" });
    const end = points[points.length - 1];
    const before = points[points.length - 2] ?? end;
    const angle = (Math.atan2(end.y - before.y, end.x - before.x) * 180) / Math.PI;
    const arrow =
      edge.target === "out"
        ? null
        : svg("path", {
            d: "M0,0L-7,-3.2L-7,3.2Z", class: edge.skip ? "arrow skip" : "arrow",
            transform: `translate(${end.x},${end.y}) rotate(${angle})`,
          });
    const label = at && svg("text", { class: "shape", x: at.x, y: at.y + 3.5 }, edge.shape);
    return svg("g", {}, drawn, arrow, label);
  }

  /** A box, and if it is open, what is in it. */
  box(box, dx, dy, move, around) {
    const placed = { entry: box.entry, box, x: box.x + dx, y: move(box.y) + dy, w: box.w, h: box.h, around };
    this.shown.set(box.entry.item.key, placed);
    this.order.push(placed);
    this.parts.push({ x: placed.x, y: placed.y, w: placed.w, h: placed.h, make: () => this.drawn(placed) });
    if (!box.open) return;
    const x = placed.x + (box.w - box.inner.w) / 2;
    const y = placed.y + box.head;
    const shift = (at) => at;
    for (const edge of box.inner.edges) {
      const points = edge.points.map((point) => ({ x: point.x + x, y: point.y + y }));
      const at = edge.at && { x: edge.at.x + x, y: edge.at.y + y };
      this.part(points, () => this.edge(edge, points, at));
    }
    for (const inner of box.inner.boxes) this.box(inner, x, y, shift, placed);
  }

  drawn(placed) {
    const { entry, box, x, y, w, h } = placed;
    const { item, run } = entry;
    const data = item.data;
    const many = run !== null && entry.last !== item;
    const group = svg("g", {
      class: `box f-${data.family}${box.open ? " open" : ""}${item.children.length ? " holds" : ""}`,
      transform: `translate(${x},${y})`, tabindex: this.current === placed ? 0 : -1, role: "button",
      "data-path": data.path, "data-row": data.row, "data-network": item.network,
      "aria-expanded": item.children.length ? String(box.open) : null, "aria-label": this.said(placed),
      onclick: (event) => this.clicked(event, placed),
      onpointerenter: (event) => this.told.over(entry, event, event.currentTarget),
      onfocus: () => this.focused(placed),
    });
    if (many) group.append(svg("rect", { class: "stack", x: 4, y: 4, width: w, height: h, rx: 3 }));
    group.append(svg("rect", { class: "body", width: w, height: h, rx: 3 }));
    let top = 3;
    for (const line of box.lines) {
      group.append(...this.line(line, top, placed));
      top += heights[line.kind];
    }
    if (this.isLit(entry)) group.classList.add("lit");
    if (this.found?.has(item)) group.classList.add("found");
    placed.element = group;
    return group;
  }

  line(line, top, placed) {
    const { entry, box, w } = placed;
    const made = [];
    const badge = entry.run && line === box.lines[0] ? this.times(entry, top, w) : null;
    const room = badge ? w - badge.size - 14 : w;
    if (line.kind === "strip") {
      const each = room / line.cells.length;
      made.push(...line.cells.flatMap((cell, i) => [
        svg("rect", { class: `strip f-${cell.family}`, x: i * each + 0.5, y: top, width: each - 1, height: 17 }),
        svg("text", { class: line.bold ? "bold" : "cell", x: i * each + (line.light ? each / 2 : 8), y: top + 12.5,
          "text-anchor": line.light ? "middle" : "start" }, cell.text),
      ]));
      return badge ? [...made, badge.element] : made;
    }
    let x = 8;
    if (line.kind === "title" && entry.item.children.length) {
      made.push(svg("text", { class: "turn", x, y: top + 13 }, box.open ? "▾" : "▸"));
      x += 14;
    }
    made.push(svg("text", { class: line.kind, x, y: top + (line.kind === "title" ? 13 : 11) }, line.text));
    return badge ? [...made, badge.element] : made;
  }

  /** How many boxes alike there are, which a click shows once or each. */
  times(entry, top, w) {
    const folded = entry.last !== entry.item;
    const text = folded ? `×${entry.run.length}` : `${entry.item.index - entry.run.start + 1}/${entry.run.length}`;
    const size = width(text, 12, true);
    const hint = svg("title", {}, folded ? "show each (U)" : "show as one (U)");
    const element = svg("g", { class: "times", onclick: (event) => this.refold(event, entry) },
      svg("rect", { x: w - size - 12, y: top, width: size + 8, height: 16, rx: 8 }),
      svg("text", { x: w - size - 8, y: top + 12.5 }, text), hint);
    return { element, size };
  }

  said({ entry, box }) {
    const { data } = entry.item;
    const what = data.title || data.layers?.map((layer) => layer.text).join(", ") || data.path;
    const times = entry.run && entry.last !== entry.item ? `, ${entry.run.length} times` : "";
    const [params, macs] = ["params", "macs"].map((count) => range(this.model.sums(entry, count), exact));
    return `${what}${times}, gives ${entry.last.data.shape}, ${params} params, ${macs} MACs`;
  }

  refold(event, entry) {
    event?.stopPropagation();
    if (!entry.run) return;
    const { item, run } = entry;
    const first = item.parent.children[run.start];
    this.model.fold(item.parent, run.start, entry.last === item);
    this.draw(first);
  }

  clicked(event, placed) {
    event.stopPropagation();
    const { item } = placed.entry;
    this.focus(placed);
    this.told.chose(placed.entry);
    if (item.children.length) this.toggle(item);
  }

  toggle(item, open) {
    this.model.toggle(item, open);
    this.draw(item);
    this.told.changed?.();
  }

  focused(placed) {
    this.roam(placed);
    this.told.over(placed.entry, null, placed.element);
  }

  /** The one box that the Tab key comes to. */
  roam(placed) {
    this.current?.element?.setAttribute("tabindex", -1);
    this.current = placed;
    placed.element?.setAttribute("tabindex", 0);
  }

  focus(placed) {
    if (!placed) return;
    this.roam(placed);
    this.sight(placed);
    placed.element?.focus({ preventScroll: true });
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.order.length) return;
    const placed = this.current ?? this.order[0];
    const { item } = placed.entry;
    const position = this.order.indexOf(placed);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.focus(this.order[Math.min(this.order.length - 1, Math.max(0, position + step))]);
    else if (event.key === "Enter" || event.key === " ") this.clicked(event, placed);
    else if (event.key === "ArrowRight" && item.children.length) {
      if (placed.box.open) this.focus(this.order[position + 1]);
      else this.toggle(item, true);
    } else if (event.key === "ArrowLeft") {
      if (placed.box.open) this.toggle(item, false);
      else if (placed.around) this.focus(placed.around);
    } else if (event.key === "Home") this.focus(this.order[0]);
    else if (event.key === "End") this.focus(this.order[this.order.length - 1]);
    else if (event.key.toLowerCase() === "u") this.refold(null, placed.entry);
    else if (event.key === "+" || event.key === "=") this.scale(1.3);
    else if (event.key === "-") this.scale(1 / 1.3);
    else if (event.key === "0") this.fit();
    else if (event.key === "Escape") this.told.over(null);
    else return;
    event.preventDefault();
  }

  scale(by) {
    select(this.svg).call(this.zoom.scaleBy, by);
  }

  /** All of it in sight; `start`: no smaller than can be read, from the top. */
  fit(start = false) {
    this.measure();
    const { w, h } = this.arranged;
    const top = this.arranged.networks.length > 1 ? 34 : 0;
    const left = this.arranged.bands.length ? 54 : 0;
    const whole = Math.min((this.wide - 2 * MARGIN - left) / w, (this.high - 2 * MARGIN - top) / h);
    const k = Math.min(1.2, start ? Math.max(whole, Math.min(0.85, (this.wide - 2 * MARGIN - left) / w)) : whole);
    const x = Math.max(MARGIN + left, (this.wide - w * k) / 2);
    select(this.svg).call(this.zoom.transform, zoomIdentity.translate(x, MARGIN + top).scale(k));
  }

  /** Bring a box into sight, unless it is. */
  sight(placed, always = false) {
    const { k, x, y } = this.at;
    const left = placed.x * k + x;
    const top = placed.y * k + y;
    const high = Math.min(placed.h * k, this.high / 2);
    if (!always && left >= 0 && top >= 0 && left + placed.w * k <= this.wide && top + high <= this.high) return;
    const to = { x: this.wide / 2 - (placed.x + placed.w / 2) * k, y: this.high / 3 - placed.y * k };
    select(this.svg).call(this.zoom.transform, zoomIdentity.translate(to.x, to.y).scale(k));
  }

  /** Open what a box is in, go there, and have it chosen. */
  reveal(item) {
    this.model.reveal(item);
    this.draw();
    const placed = this.shown.get(item.key);
    if (!placed) return;
    if (this.at.k < 0.5) select(this.svg).call(this.zoom.scaleTo, 0.9);
    this.roam(placed);
    this.sight(placed, true);
    this.told.over(placed.entry, null, placed.element);
  }

  /** Mark boxes: those of a row that the pointer is at, those that were searched for. */
  mark({ lit = this.lit, found = this.found }) {
    this.lit = lit;
    this.found = found;
    for (const { entry, element } of this.order) {
      element?.classList.toggle("lit", this.isLit(entry));
      element?.classList.toggle("found", Boolean(found?.has(entry.item)));
    }
  }

  isLit({ item, last }) {
    return Boolean(this.lit) && item.parent.children.slice(item.index, last.index + 1).some(this.lit);
  }

  bands() {
    const { bands, networks } = this.arranged;
    const labels = new Map(networks.flatMap(({ root }) => root.data.stages.map((stage) => [stage.number, stage.label])));
    for (const { stage, y } of bands) {
      const text = svg("text", { class: "band", x: -14, y: y + 14, "text-anchor": "end" }, labels.get(stage) ?? "");
      const rule = svg("path", { class: "band", d: `M-8,${y - 12}H${this.arranged.w + 8}` });
      this.parts.push({ x: -60, y: y - 14, w: this.arranged.w + 70, h: 34, make: () => svg("g", {}, rule, text) });
    }
  }
}
