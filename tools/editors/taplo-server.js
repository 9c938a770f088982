// The language server of taplo over standard input and output, for tests: its package leaves the
// transport to the editor. No schema or catalogue is fetched: the network is out of its reach.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { TaploLsp } = require("@taplo/lsp");

const refuse = () => Promise.reject(new Error("no network in tests"));

const surroundings = {
  cwd: () => process.cwd(),
  envVar: () => undefined,
  envVars: () => [],
  fetch: { fetch: refuse, Headers, Request, Response },
  findConfigFile: () => undefined,
  glob: () => [],
  isAbsolute: (name) => path.isAbsolute(name),
  isWindows: () => false,
  now: () => new Date(0),
  readFile: (name) => fs.promises.readFile(name),
  stderr: process.stderr,
  stdErrAtty: () => false,
  stdin: process.stdin,
  stdout: process.stderr,
  urlToFilePath: (url) => decodeURIComponent(new URL(url).pathname),
  writeFile: refuse,
};

function send(message) {
  const body = Buffer.from(JSON.stringify(message));
  process.stdout.write(`Content-Length: ${body.length}\r\n\r\n`);
  process.stdout.write(body);
}

async function main() {
  const server = await TaploLsp.initialize(surroundings, { onMessage: send });
  let pending = Buffer.alloc(0);
  process.stdin.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const end = pending.indexOf("\r\n\r\n");
      const head = end < 0 ? null : /Content-Length: (\d+)/i.exec(pending.subarray(0, end));
      if (head === null || pending.length < end + 4 + Number(head[1])) {
        return;
      }
      const body = pending.subarray(end + 4, end + 4 + Number(head[1]));
      pending = pending.subarray(end + 4 + Number(head[1]));
      const message = JSON.parse(body.toString());
      if (message.method === "exit") {
        process.exit(0);
      }
      server.send(message);
    }
  });
  process.stdin.on("end", () => process.exit(0));
}

main();
