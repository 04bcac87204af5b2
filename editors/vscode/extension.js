// Starts `archspec lsp` for .arch files; everything else is the server's.
"use strict";

const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
  const command = workspace.getConfiguration("archspec").get("path");
  const server = { command, args: ["lsp"] };
  client = new LanguageClient("archspec", "archspec", server, { documentSelector: [{ language: "arch" }] });
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(
      `archspec: \`${command} lsp\` did not start (${error.message}). ` +
        "Install it with `pip install 'archspec-compiler[lsp]'`, or set archspec.path."
    );
  }
}

async function stop() {
  if (client && client.isRunning()) await client.stop();
  client = undefined;
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    commands.registerCommand("archspec.restart", restart),
    workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("archspec.path") && restart())
  );
  await start();
}

module.exports = { activate, deactivate: stop };
