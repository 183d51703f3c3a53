// A kernel of the test: starts the plugin as a process, asks over the contract, and gets the answers.
"use strict";
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const { contract } = require("../bedplate.js");

class Kernel {
  // Returns one whose plugin has said Hello.
  static async start(kind, component) {
    const kernel = new Kernel();
    Object.assign(kernel, { component, waiting: new Map(), last: 0, folder: fs.mkdtempSync(path.join(os.tmpdir(), "bp-")) });
    kernel.server = new grpc.Server();
    const attached = new Promise((resolve) => kernel.server.addService(contract(kind).service, { attach: resolve }));
    const host = `unix:${kernel.folder}/p.sock`;
    const insecure = grpc.ServerCredentials.createInsecure();
    await new Promise((resolve, reject) => kernel.server.bindAsync(host, insecure, (error) => (error ? reject(error) : resolve())));
    kernel.plugin = spawn(process.execPath, [path.join(__dirname, "..", "plugin.js")], { stdio: ["pipe", "inherit", "inherit"] });
    kernel.plugin.stdin.write(`${JSON.stringify({ host, token: "t" })}\n`);
    await kernel.listen(await attached);
    return kernel;
  }

  async listen(stream) {
    this.stream = stream.on("error", () => {});
    const hello = await new Promise((resolve) => stream.on("data", ({ hello, replies }) => {
      if (hello) resolve(hello);
      for (const reply of replies) this.waiting.get(reply.answer.id)?.(reply);
    }));
    if (hello.token !== "t") throw new Error("it said Hello with another token");
  }

  ask(what, body = {}, withinMs = 10000) {
    const id = String(++this.last);
    this.stream.write({ asks: [{ id, component: this.component, withinMs, [what]: body }] });
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  open(settings, more = {}) {
    return this.ask("open", { use: "my-thing", configJson: Buffer.from(JSON.stringify(settings)), ...more });
  }

  // Asks the plugin to end; returns exit code and signal.
  async shutdown() {
    await this.ask("shutdown", { graceMs: 1000 });
    this.stream.end();
    return once(this.plugin, "exit");
  }

  // As when the kernel is gone.
  async end() {
    this.plugin.stdin.end();
    if (this.plugin.exitCode === null) await once(this.plugin, "exit");
    this.server.forceShutdown();
    fs.rmSync(this.folder, { recursive: true });
  }
}

module.exports = { Kernel };
