// The page of `archspec serve`: a spec on the left; what is wrong with it, its diagram and its source on the right.

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { el } from "./dom.js";
import { Explorer } from "./explorer.js";

const WAIT = 120; // ms after a key before the text is compiled
const PICTURES = ["html", "svg", "png", "pdf", "dot"];

const start = JSON.parse(document.getElementById("start").textContent);
const nonce = document.querySelector('meta[name="nonce"]').content;

// ---- the editor ----

const colored = StateEffect.define();
const colors = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) if (effect.is(colored)) return effect.value;
    return marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});
const kinds = new Map();
const mark = (name) => kinds.get(name) ?? kinds.set(name, Decoration.mark({ class: `t-${name}` })).get(name);

const editor = new EditorView({
  state: EditorState.create({
    doc: start.text,
    extensions: [
      EditorView.cspNonce.of(nonce), lineNumbers(), lintGutter(), history(), drawSelection(), highlightActiveLine(), colors,
      keymap.of([...lintKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
      EditorView.contentAttributes.of({ "aria-label": "Spec", spellcheck: "false" }),
      EditorView.updateListener.of((update) => update.docChanged && changed()),
    ],
  }),
});

/** Offsets of Python, which counts characters, in the text of the editor, which counts UTF-16 units. */
function offsets(text) {
  if (!/[\ud800-\udbff]/.test(text)) return (at) => at;
  const starts = [];
  let unit = 0;
  for (const character of text) {
    starts.push(unit);
    unit += character.length;
  }
  return (at) => starts[at] ?? unit;
}

function position(line, column) {
  const { doc } = editor.state;
  const found = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(found.to, found.from + offsets(found.text)(column - 1));
}

// ---- the page ----

const explorerHost = el("div", { class: "explorer" });
const problems = el("ol", { class: "problems", "aria-label": "Diagnostics", "aria-live": "polite" });
const notes = el("p", { class: "notes", role: "status", hidden: true });
const source = el("pre", { class: "source", tabindex: 0, "aria-label": "Source" });
const backend = el("select", { "aria-label": "Backend", onchange: () => wroteSource() },
  ...start.backends.map((name) => el("option", { value: name, selected: name === "torch" }, name)));
const member = el("select", { "aria-label": "Network", hidden: true, onchange: () => changed(0) });
const parameters = el("input", {
  class: "parameters", placeholder: "alpha=0.5 k=10", "aria-label": "Parameters", spellcheck: "false", oninput: () => changed(),
});
const panels = {
  Diagram: explorerHost,
  Source: el("div", { class: "panel" }, el("p", { class: "bar-line" }, backend), source),
};
const tabs = Object.keys(panels).map((name) =>
  el("button", { type: "button", role: "tab", onclick: () => choose(name) }, name));
const downloads = el("select", { "aria-label": "Download", onchange: () => download() },
  el("option", { value: "" }, "Download…"),
  ...["arch", ...PICTURES, "py"].map((form) => el("option", { value: form }, `.${form}`)));
const state = el("span", { class: "state", role: "status" });

document.getElementById("serve").append(
  el("div", { class: "left" },
    el("div", { class: "top" }, el("strong", {}, start.name), member, parameters, downloads, state),
    editor.dom, notes, problems),
  el("div", { class: "right" },
    el("div", { class: "top", role: "tablist" }, ...tabs),
    ...Object.values(panels)));
const explorer = new Explorer(explorerHost);
let tab = "Diagram";
choose("Diagram");

function choose(name) {
  tab = name;
  for (const made of tabs) made.setAttribute("aria-selected", String(made.textContent === name));
  for (const [other, panel] of Object.entries(panels)) panel.hidden = other !== name;
  if (name === "Source") wroteSource();
}

// ---- compiling: one request at a time, the newest text next ----

let timer = null;
let busy = false;
let again = false;
let imported = ""; // what a pasted table was read as

function changed(wait = WAIT) {
  clearTimeout(timer);
  timer = setTimeout(compile, wait);
}

const asked = () => ({
  text: editor.state.doc.toString(), member: member.hidden ? "" : member.value, parameters: parameters.value,
});

const post = (path, body) =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

async function compile() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  state.textContent = "…";
  const request = asked();
  try {
    const response = await post("/compile", request);
    if (!response.ok) throw new Error(await response.text());
    shown(await response.json(), request.text);
  } catch (error) {
    state.textContent = `the server does not answer: ${error.message}`;
  }
  busy = false;
  if (again) {
    again = false;
    compile();
  }
}

function shown(found, text) {
  if (found.imported !== undefined) {
    notes.replaceChildren(...[...found.notes, "Undo (Ctrl-Z) gives the table back."].map((note) => el("span", {}, note)));
    notes.hidden = false;
    if (editor.state.doc.toString() === text) {
      editor.dispatch({
        changes: { from: 0, to: editor.state.doc.length, insert: found.imported },
        selection: { anchor: 0 }, scrollIntoView: true, userEvent: "input.import",
      });
      imported = editor.state.doc.toString();
    }
    return;
  }
  if (text !== imported) notes.hidden = true;
  const errors = found.diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  state.textContent = errors ? `${errors} ${errors === 1 ? "error" : "errors"}` : found.network ? "✓" : "";
  state.classList.toggle("wrong", errors > 0);
  explorerHost.classList.toggle("old", errors > 0 && !found.network);
  offered(found);
  listed(found.diagnostics);
  if (editor.state.doc.toString() === text) painted(found, text);
  if (found.network) {
    explorer.show(found.network);
  }
  if (tab === "Source") wroteSource();
}

function offered(found) {
  const names = found.members ?? [];
  if (!names.length) {
    if (!found.diagnostics.length) member.hidden = true; // a text with mistakes may have had some a moment ago
    return;
  }
  const chosen = names.includes(member.value) ? member.value : found.member;
  member.replaceChildren(...names.map((name) => el("option", { value: name, selected: name === chosen }, name)));
  member.hidden = names.length < 2;
}

function painted(found, text) {
  const at = offsets(text);
  const marks = found.tokens.map(([from, to, name]) => mark(name).range(at(from), at(to)));
  editor.dispatch({ effects: colored.of(Decoration.set(marks, true)) });
  editor.dispatch(setDiagnostics(editor.state, found.diagnostics.filter(({ line }) => line).map((diagnostic) => {
    const from = position(diagnostic.line, diagnostic.column);
    const to = Math.max(from, position(diagnostic.end_line, diagnostic.end_column));
    return {
      from, to, severity: diagnostic.severity === "error" ? "error" : "warning", source: diagnostic.code,
      message: [diagnostic.message, diagnostic.help && `help: ${diagnostic.help}`].filter(Boolean).join("\n"),
      actions: diagnostic.edits.length ? [{ name: "Fix", apply: () => fix(diagnostic.edits) }] : [],
    };
  })));
}

function fix(edits) {
  const changes = edits.map((edit) => ({
    from: position(edit.line, edit.column), to: position(edit.end_line, edit.end_column), insert: edit.text,
  }));
  editor.dispatch({ changes, selection: { anchor: changes[0].from }, scrollIntoView: true });
}

function listed(diagnostics) {
  problems.replaceChildren(...diagnostics.map((diagnostic) =>
    el("li", { class: diagnostic.severity },
      el("button", { type: "button", onclick: () => go(diagnostic) }, el("pre", {}, diagnostic.text)),
      diagnostic.edits.length > 0 && el("button", { type: "button", class: "fix", onclick: () => fix(diagnostic.edits) }, "Fix"))));
}

function go(diagnostic) {
  if (!diagnostic.line) return;
  const from = position(diagnostic.line, diagnostic.column);
  editor.dispatch({ selection: { anchor: from, head: position(diagnostic.end_line, diagnostic.end_column) }, scrollIntoView: true });
  editor.focus();
}

// ---- the source, and files ----

let writing = 0;

async function wroteSource() {
  const number = ++writing;
  source.classList.add("old");
  const response = await post("/source", { ...asked(), backend: backend.value });
  const text = await response.text();
  if (number !== writing) return;
  source.textContent = text;
  source.classList.remove("old");
}

async function download() {
  const form = downloads.value;
  downloads.value = "";
  if (!form) return;
  const name = start.name.replace(/\.arch$/, "");
  if (form === "arch") return save(new Blob([editor.state.doc.toString()], { type: "text/plain" }), `${name}.arch`);
  const response = form === "py" ? await post("/source", { ...asked(), backend: backend.value }) : await post("/picture", { ...asked(), form });
  if (!response.ok) {
    state.textContent = await response.text();
    return;
  }
  save(await response.blob(), `${name}.${form}`);
}

function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

compile();
