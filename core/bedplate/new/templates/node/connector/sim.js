// A my-thing machine for your desk: node sim.js [PORT]. Port 0: any; the first line says which.
// It listens on this machine only. Its temperature follows the setpoint, slowly.
"use strict";
const net = require("node:net");
const readline = require("node:readline");

class Machine {
  constructor() {
    this.values = { temperature: 20, setpoint: 25 };
    this.readOnly = new Set(["temperature"]);
    this.frozen = false; // it hears, and says nothing
    this.sockets = new Set();
    this.server = net.createServer((socket) => {
      this.sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.sockets.delete(socket));
      const lines = readline.createInterface({ input: socket }).on("error", () => {});
      lines.on("line", (line) => this.frozen || socket.write(`${this.answer(line)}\n`));
    });
  }

  listen(port = 0) {
    return new Promise((resolve) => this.server.listen(port, "127.0.0.1", () => resolve(this.server.address().port)));
  }

  // Ends every connection, as a restart of the machine would.
  cut() {
    for (const socket of this.sockets) socket.destroy();
  }

  close() {
    this.server.close();
    this.cut();
  }

  answer(line) {
    const [verb, name, value] = line.trim().split(/\s+/);
    if (verb === "LIST") return Object.keys(this.values).join(" ");
    if (!["GET", "SET"].includes(verb)) return "ERR unknown command";
    if (!Object.hasOwn(this.values, name ?? "")) return "ERR no such value";
    if (verb === "GET") return this.values[name].toFixed(3);
    if (this.readOnly.has(name)) return "ERR read only";
    this.values[name] = Number(value);
    return "OK";
  }
}

module.exports = { Machine };
if (require.main === module) {
  const machine = new Machine();
  machine.listen(Number(process.argv[2] ?? 9100)).then((port) => console.log(`a my-thing at 127.0.0.1 port ${port}; Ctrl-C ends it`));
  setInterval(() => (machine.values.temperature += (machine.values.setpoint - machine.values.temperature) * 0.02), 200);
}
