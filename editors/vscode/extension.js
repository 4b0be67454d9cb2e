// Starts `plan lsp` and hands it the plans that are open, in either spelling.
const { workspace, window } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = async () => {
  const [command, ...args] = workspace.getConfiguration("runplan").get("command");
  client = new LanguageClient(
    "runplan",
    "runplan",
    { command, args },
    {
      documentSelector: [
        { scheme: "file", language: "runplan" },
        { scheme: "untitled", language: "runplan" },
        { scheme: "file", pattern: "**/*.plan.{yaml,yml}" },
      ],
      synchronize: { fileEvents: workspace.createFileSystemWatcher("**/{*.plan,*.plan.y*ml,runplan.toml,pyproject.toml}") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(
      `runplan: \`${[command, ...args].join(" ")}\` does not start: ${error.message}. ` +
        "Install it with `pip install 'runplan[lsp]'`, or name it in the setting runplan.command.",
    );
  }
};

exports.deactivate = () => client?.stop();
