// Elements. Text goes in as text and nowhere else, so that no name of a spec is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const el = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
export const svg = (name, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, name), attributes, children);

const context = document.createElement("canvas").getContext("2d");
const widths = new Map();
export const FONT = 'Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif';

/** Width of a text in pixels. */
export function width(text, size, bold = false) {
  const key = `${size}${bold}${text}`;
  let found = widths.get(key);
  if (found === undefined) {
    context.font = `${bold ? "600 " : ""}${size}px ${FONT}`;
    found = context.measureText(text).width;
    widths.set(key, found);
  }
  return found;
}

export const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** `3.50M`, as in the printed pictures. */
export function short(number) {
  for (const [unit, size] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["K", 1e3]]) {
    if (number >= size) {
      const whole = number / size;
      return `${whole.toFixed(whole < 9.995 ? 2 : whole < 99.95 ? 1 : 0)}${unit}`;
    }
  }
  return String(number);
}

export const bytes = (number) =>
  number >= 2 ** 20 ? `${(number / 2 ** 20).toFixed(2)} MiB` : number >= 1024 ? `${(number / 1024).toFixed(1)} KiB` : `${number} B`;
export const exact = (number) => number.toLocaleString("en-US");

/** A number, or the least and the most of several where they differ. */
export function range(numbers, written) {
  const [least, most] = [written(Math.min(...numbers)), written(Math.max(...numbers))];
  return least === most ? most : `${least}–${most}`;
}
