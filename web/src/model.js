// What is shown of the networks: which boxes are open, which runs of boxes alike are folded.

/** A box of a network, with its place in the tree. */
class Item {
  constructor(data, parent, network, index) {
    this.data = data;
    this.parent = parent;
    this.network = network;
    this.index = index;
    this.key = `${network}:${parent ? `${parent.data.path}>` : ""}${data.path}`;
    this.depth = parent ? parent.depth + 1 : -1;
    this.children = (data.boxes ?? []).map((box, i) => new Item(box, this, network, i));
  }

  *walk() {
    yield this;
    for (const child of this.children) yield* child.walk();
  }

  get text() {
    const layers = (this.data.layers ?? []).map((layer) => `${layer.text} ${layer.path}`);
    return [this.data.title, ...(this.data.notes ?? []), this.data.path, ...layers].join(" ").toLowerCase();
  }
}

/** What a network is called above its diagram: its title, with its name before it unless it begins with that. */
export const headline = ({ name, title }) => (title.toLowerCase().startsWith(name.toLowerCase()) ? title : `${name}: ${title}`);

export class Model {
  constructor() {
    this.level = "row";
    this.folds = true;
    this.opened = new Map();
    this.unfolded = new Set();
    this.roots = [];
  }

  /** Other networks; boxes of the same path stay as they are. */
  show(data) {
    this.data = data;
    this.roots = data.networks.map((network, i) => new Item({ ...network, path: "", boxes: network.boxes }, null, i, i));
    this.items = this.roots.flatMap((root) => [...root.walk()].slice(1));
    this.byRow = new Map();
    for (const item of this.items) {
      const key = `${item.network}:${item.data.row}`;
      if (item.depth === 0 && item.data.row) this.byRow.set(key, item);
    }
  }

  isOpen(item) {
    if (!item.children.length) return false;
    return this.opened.get(item.key) ?? (this.level === "layer" || (this.level === "block" && item.depth === 0));
  }

  toggle(item, open = !this.isOpen(item)) {
    this.opened.set(item.key, open);
    this.touch(item);
  }

  setLevel(level) {
    this.level = level;
    this.opened.clear();
    for (const root of this.roots) for (const item of root.walk()) item.layout = null;
  }

  setFold(folds) {
    this.folds = folds;
    this.unfolded.clear();
    for (const root of this.roots) for (const item of root.walk()) item.layout = null;
  }

  fold(item, start, folded) {
    const key = `${item.key}#${start}`;
    if (folded === this.folds) this.unfolded.delete(key);
    else this.unfolded.add(key);
    this.touch(item);
  }

  /** What is laid out anew when something in it changes. */
  touch(item) {
    for (let around = item; around; around = around.parent) around.layout = null;
  }

  isFolded(item, start) {
    return this.unfolded.has(`${item.key}#${start}`) !== this.folds;
  }

  /** The boxes that an open box shows, and for each of its children the place of the one that stands for it. */
  entries(item) {
    const runs = new Map(item.data.runs.map(([start, length, title]) => [start, { start, length, title }]));
    const entries = [];
    const places = [];
    for (let i = 0; i < item.children.length; ) {
      const run = runs.get(i);
      if (run && this.isFolded(item, i)) {
        for (let j = 0; j < run.length; j++) places.push(entries.length);
        entries.push({ item: item.children[i], last: item.children[i + run.length - 1], run });
        i += run.length;
        continue;
      }
      const end = i + (run ? run.length : 1);
      for (; i < end; i++) {
        places.push(entries.length);
        entries.push({ item: item.children[i], last: item.children[i], run: run ?? null });
      }
    }
    return { entries, places };
  }

  /** A box that is shown, and those that it stands for in the other passes of what is folded around it. */
  passes(item) {
    if (!item.parent) return [item];
    const run = item.parent.data.runs.find(([start, length]) => start <= item.index && item.index < start + length);
    const folded = run && this.isFolded(item.parent, run[0]);
    const [from, count] = folded ? run : [item.index, 1];
    return this.passes(item.parent).flatMap((around) => around.children.slice(from, from + count));
  }

  /** A count of what an entry stands for, in each pass of what is folded around it. */
  sums(entry, what) {
    const { item, last } = entry;
    return this.passes(item.parent).map((around) =>
      around.children.slice(item.index, last.index + 1).reduce((sum, child) => sum + child.data[what], 0));
  }

  /** Open all that a box is in; what is folded around it is unfolded. */
  reveal(item) {
    for (let child = item, around = item.parent; around; child = around, around = around.parent) {
      if (around.parent) this.toggle(around, true);
      for (const [start, length] of around.data.runs ?? []) {
        if (start < child.index && child.index < start + length && this.isFolded(around, start)) this.fold(around, start, false);
      }
    }
  }

  /** The boxes that have the words as they stand, or if there is none, all of them anywhere; 3x3 is 3×3. */
  search(words) {
    const wanted = words.trim().toLowerCase().replace(/(\d)x(?=\d)/g, "$1×").split(/\s+/).filter(Boolean);
    if (!wanted.length) return [];
    const found = this.items.filter((item) => item.text.includes(wanted.join(" ")));
    return found.length ? found : this.items.filter((item) => wanted.every((word) => item.text.includes(word)));
  }
}
