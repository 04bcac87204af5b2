// Starts `archspec lsp` and hands its answers to VS Code. Highlighting does without.
"use strict";

const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const SETTING = "archspec.path";
const INSTALL = 'pip install "archspec-compiler[lsp]"';

let client;
let queue = Promise.resolve();

async function start() {
  const command = workspace.getConfiguration("archspec").get("path") || "archspec";
  // no `transport`: the client would add `--stdio`, and the server knows no other way
  const server = { command, args: ["lsp"] };
  client = new LanguageClient("archspec", "archspec", server, {
    documentSelector: [
      { scheme: "file", language: "arch" },
      { scheme: "untitled", language: "arch" },
    ],
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.arch") },
  });
  try {
    await client.start();
  } catch {
    // not awaited: the message stays until it is read
    window
      .showErrorMessage(`\`${command} lsp\` does not start. Is it installed (${INSTALL})?`, "Open Settings")
      .then((chosen) => chosen && commands.executeCommand("workbench.action.openSettings", SETTING));
  }
}

async function stop() {
  const stopping = client;
  client = undefined;
  // a client that never ran cannot be stopped
  if (stopping?.needsStop()) await stopping.stop();
}

// one after the other: a setting may change while a server still starts
function restart() {
  queue = queue.then(stop).catch(() => {}).then(start);
  return queue;
}

function activate(context) {
  context.subscriptions.push(
    commands.registerCommand("archspec.restart", restart),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(SETTING)) restart();
    }),
  );
  return restart();
}

function deactivate() {
  return queue.then(stop);
}

module.exports = { activate, deactivate };
