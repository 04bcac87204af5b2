// Where everything stands. dagre lays out what one open box holds; a box is as large as what it holds, so that the work
// grows with the boxes shown and a change is laid out anew in the boxes around it alone.

import { Graph, layout as dagre } from "@dagrejs/dagre";
import { cut, range, short, width } from "./dom.js";
import { headline } from "./model.js";

const LINE = { title: 18, note: 14, strip: 18, counts: 15 };
const PAD = 8;
const TITLE = 60; // characters of a network's title above its diagram, where several stand side by side
const MANY = 120; // boxes beside which dagre's better ranking takes too long for the eye

/** The lines of a closed box, or of the heading of an open one. */
export function lines(model, entry, open) {
  const { item, run } = entry;
  const data = item.data;
  const folded = run && entry.last !== item;
  const title = folded ? run.title : data.title;
  const made = [];
  if (title) made.push({ kind: "title", text: cut(title, 56) });
  for (const note of data.notes ?? []) if (note) made.push({ kind: "note", text: cut(note, 64) });
  if (data.layers && !open) {
    let strip = null;
    for (const layer of data.layers) {
      if (layer.light && strip?.light) strip.cells.push(layer);
      else made.push((strip = { kind: "strip", light: layer.light, cells: [layer], bold: !title && !layer.light }));
    }
  }
  if (data.family === "input") made.push({ kind: "note", text: data.shape });
  const counts = [];
  for (const [what, name] of [["params", "params"], ["macs", "MACs"]]) {
    const sums = model.sums(entry, what);
    if (Math.max(...sums)) counts.push(`${range(sums, short)} ${name}`);
  }
  if (counts.length) made.push({ kind: "counts", text: counts.join(" · ") });
  return made;
}

function lineWidth(line, first, entry) {
  const badge = first && entry.run ? width(` ×${entry.run.length}`, 12, true) + 16 : 0;
  if (line.kind === "title") return width(line.text, 12, true) + (entry.item.children.length ? 14 : 0) + badge;
  if (line.kind !== "strip") return width(line.text, 10) + badge;
  // its cells are as wide as each other
  return Math.max(...line.cells.map((cell) => width(cell.text, 11, line.bold) + 10)) * line.cells.length + badge;
}

function size(model, entry, open) {
  const made = lines(model, entry, open);
  const wide = Math.max(...made.map((line, i) => lineWidth(line, i === 0, entry)), 46);
  return { lines: made, w: Math.ceil(wide) + 2 * PAD, h: made.reduce((sum, line) => sum + LINE[line.kind], 0) + 6 };
}

export const heights = LINE;

/** `56²×24`; `56²×24–96` where the passes of what is drawn once give different ones. */
function between(shapes) {
  const cuts = shapes.map((shape) => shape.lastIndexOf("×") + 1);
  const fronts = new Set(shapes.map((shape, i) => shape.slice(0, cuts[i])));
  if (fronts.size > 1) return shapes[0];
  return [...fronts][0] + range(shapes.map((shape, i) => Number(shape.slice(cuts[i]))), String);
}

/** The layout of what is in an item (a network or an open box), relative to its own corner. */
export function layout(model, item) {
  if (item.layout) return item.layout;
  const { entries, places } = model.entries(item);
  const boxes = entries.map((entry) => {
    const open = model.isOpen(entry.item);
    const own = size(model, entry, open);
    const inner = open ? layout(model, entry.item) : null;
    return {
      entry, open, lines: own.lines, head: own.h, inner,
      w: inner ? Math.max(own.w, inner.w + 2 * PAD) : own.w,
      h: inner ? own.h + inner.h : own.h,
    };
  });
  const links = linked(model, item, places);
  item.layout = placed(boxes, links, item.parent !== null, "r");
  // labels stand to the right of their edges in the mirror too
  if (mirrored(item.layout.boxes)) item.layout = mirror(placed(boxes, links, item.parent !== null, "l"));
  return item.layout;
}

/** The edges between the boxes that an item shows, and with what is around it. */
function linked(model, item, places) {
  const links = new Map();
  const passes = model.passes(item);
  item.data.links.forEach(([from, to, , skip], i) => {
    const source = from < 0 ? "in" : `b${places[from]}`;
    const target = `b${places[to]}`;
    const key = `${source} ${target}`;
    if (source === target || links.has(key)) return;
    const shape = between(passes.map((pass) => pass.data.links[i][2]));
    links.set(key, { source, target, shape, skip, label: from >= 0 });
  });
  for (const end of item.parent ? item.data.ends : []) {
    const source = `b${places[end]}`;
    links.set(`${source} out`, { source, target: "out", shape: "", skip: false, label: false });
  }
  return [...links.values()];
}

/** Boxes and edges where dagre puts them; `side` is that of the labels. */
function placed(boxes, links, nested, side) {
  const graph = new Graph();
  graph.setGraph({
    rankdir: "TB", nodesep: 16, ranksep: 26, edgesep: 12, ranker: boxes.length > MANY ? "longest-path" : "network-simplex",
  });
  graph.setDefaultEdgeLabel(() => ({}));
  boxes.forEach((box, i) => graph.setNode(`b${i}`, { width: box.w, height: box.h }));
  for (const end of nested ? ["in", "out"] : []) graph.setNode(end, { width: 1, height: 1 });
  for (const link of links) {
    const label = link.label ? { width: width(link.shape, 10) + 4, height: 10, labelpos: side, labeloffset: 3 } : {};
    graph.setEdge(link.source, link.target, { ...label, weight: link.skip ? 1 : 4 });
  }
  dagre(graph);
  const found = boxes.map((box, i) => {
    const { x, y } = graph.node(`b${i}`);
    return { ...box, x: x - box.w / 2, y: y - box.h / 2 };
  });
  const ranks = new Map();
  for (const box of found) ranks.set(middle(box), Math.max(box.h, ranks.get(middle(box)) ?? 0));
  const edges = links.map((link) => {
    const edge = graph.edge(link.source, link.target);
    return {
      ...link,
      points: edge.points.flatMap((point, i) => (i && i < edge.points.length - 1 ? beside(point, ranks) : [{ ...point }])),
      at: link.label && edge.x !== undefined ? { x: edge.x - edge.width / 2, y: edge.y, w: edge.width } : null,
      from: link.source, to: link.target,
    };
  });
  return framed(found, edges, graph.graph());
}

/** All of it to the right of the corner: dagre counts no edge that passes outside of the boxes. */
function framed(boxes, edges, { width: wide = 0, height = 0 }) {
  const points = edges.flatMap((edge) => edge.points);
  const left = points.reduce((least, point) => Math.min(least, point.x - 2), 0);
  for (const thing of [...boxes, ...points, ...edges.map((edge) => edge.at).filter(Boolean)]) thing.x -= left;
  const ends = [wide - left, ...boxes.map((box) => box.x + box.w), ...points.map((point) => point.x + 2)];
  return { boxes, edges, w: ends.reduce((most, end) => Math.max(most, end), 0), h: height };
}

const middle = (box) => Math.round(box.y + box.h / 2);

/** Where an edge passes beside boxes: straight down, from above the highest to below it, as dagre gives only its middle. */
function beside({ x, y }, ranks) {
  const high = (ranks.get(Math.round(y)) ?? 0) / 2;
  // the curve keeps to a line where its points are there twice
  return high ? [y - high, y - high, y + high, y + high].map((at) => ({ x, y: at })) : [{ x, y }];
}

/** Whether boxes beside each other mostly stand in the reverse of the spec's order: dagre knows of none. */
function mirrored(boxes) {
  let wrong = 0;
  boxes.forEach((box, i) => {
    for (const other of boxes.slice(i + 1)) {
      if (other.y < box.y + box.h && box.y < other.y + other.h) wrong += Math.sign(box.x + box.w / 2 - other.x - other.w / 2);
    }
  });
  return wrong > 0;
}

function mirror({ boxes, edges, w, h }) {
  for (const box of boxes) box.x = w - box.x - box.w;
  for (const edge of edges) {
    for (const point of edge.points) point.x = w - point.x;
    if (edge.at) edge.at.x = w - edge.at.x - edge.at.w;
  }
  return { boxes, edges, w, h };
}

/** Networks side by side; where there are several, what has the same share of the image stands at the same height. */
export function arrange(model) {
  const gap = 60;
  const found = model.roots.map((root) => layout(model, root));
  const starts = found.map(stageStarts);
  const shared = [...new Set(starts.flatMap((start) => [...start.keys()]))]
    .filter((stage) => starts.filter((start) => start.has(stage)).length > 1)
    .sort((a, b) => a - b);
  const shifts = found.map(() => []);
  const bands = [];
  const moved = (i, y) => shifts[i].reduce((sum, [from, by]) => (y >= from ? sum + by : sum), y);
  for (const stage of shared) {
    const level = Math.max(...starts.map((start, i) => (start.has(stage) ? moved(i, start.get(stage).y) : 0)));
    starts.forEach((start, i) => {
      if (!start.has(stage)) return;
      const y = start.get(stage).y;
      const by = level - moved(i, y);
      if (by > 0.5) shifts[i].push([y - 0.1, by]);
    });
    bands.push({ stage, y: level });
  }
  let x = 0;
  const networks = found.map((inner, i) => {
    const root = model.roots[i];
    const title = cut(headline(root.data), TITLE);
    const place = { inner, x, y: 0, root, title, move: shifts[i].length ? (y) => moved(i, y) : (y) => y };
    x += Math.max(inner.w, Math.ceil(width(title, 12, true)), 220) + gap;
    return place;
  });
  const h = Math.max(...found.map((inner, i) => moved(i, inner.h)));
  return { networks, bands, w: x - gap, h };
}

function stageStarts(inner) {
  const starts = new Map();
  let highest = 0;
  for (const box of inner.boxes) {
    const { stage, family } = box.entry.item.data;
    if (family !== "input" && stage > highest) {
      highest = stage;
      starts.set(stage, box);
    }
  }
  return starts;
}
