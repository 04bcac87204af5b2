// The extension in a VS Code that is not there: `node start.js EXTENSION COMMAND` activates it with `archspec.path` set
// to COMMAND, deactivates it, and prints the messages that it showed. The language client and the server are real.
"use strict";

const Module = require("node:module");
const path = require("node:path");

const [extension, command] = process.argv.slice(2);
const messages = [];
const registered = [];
const listeners = [];
const disposable = { dispose() {} };

// Whatever is asked of it: a class, a function, an object, each of them empty.
function anything(known = {}) {
  return new Proxy(Object.assign(function () {}, known), {
    get: (target, key) => {
      if (key === "then" || key === Symbol.iterator || key === Symbol.toPrimitive) return undefined;
      if (!(key in target)) target[key] = anything();
      return target[key];
    },
    apply: () => anything(),
  });
}

class EventEmitter {
  listeners = [];
  event = (listener) => (this.listeners.push(listener), disposable);
  fire = (value) => this.listeners.forEach((listener) => listener(value));
  dispose() {}
}

const vscode = anything({
  version: "1.82.0",
  EventEmitter,
  commands: anything({ registerCommand: (name) => (registered.push(name), disposable) }),
  env: anything({ language: "en", appName: "Visual Studio Code" }),
  window: anything({
    createOutputChannel: () => ({ append() {}, appendLine() {}, show() {}, dispose() {} }),
    showErrorMessage: async (message) => void messages.push(message),
    visibleTextEditors: [],
    tabGroups: anything({ all: [] }),
  }),
  workspace: anything({
    getConfiguration: () => ({ get: (name, otherwise) => (name === "path" ? command : otherwise) }),
    onDidChangeConfiguration: (listener) => (listeners.push(listener), disposable),
    notebookDocuments: [],
    textDocuments: [],
    workspaceFolders: undefined,
  }),
});

const load = Module._load;
Module._load = function (name, ...rest) {
  return name === "vscode" ? vscode : load.call(this, name, ...rest);
};

async function main() {
  const { activate, deactivate } = require(path.join(extension, "client.js"));
  await activate({ subscriptions: [] });
  for (const setting of ["archspec.path", "editor.fontSize"]) {
    listeners.forEach((listener) => listener({ affectsConfiguration: (name) => name === setting }));
  }
  await deactivate();
  process.stdout.write(JSON.stringify({ messages, registered }));
}

main();
