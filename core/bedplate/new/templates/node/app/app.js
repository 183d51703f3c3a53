// my-thing: writes what comes to a CSV file, and goes on where it stopped: node app.js [--file F] [--rows N] [SELECTOR…]
//
// A program of its own beside Bedplate, and a client of bedplate.api.v1 only: it may run on another machine, in another
// version, and end without anybody noticing.
"use strict";
const fs = require("node:fs");
const { parseArgs } = require("node:util");
const { passing, updates } = require("./bedplate.js");

const AGAIN_AFTER = 2000; // ms, when no Bedplate answers

// The file, and beside it the token of what is in it. After a crash the last update may stand there twice.
class Book {
  constructor(file) {
    Object.assign(this, { file, mark: `${file}.token`, rows: 0 });
  }

  get token() {
    return fs.existsSync(this.mark) ? fs.readFileSync(this.mark) : undefined;
  }

  add(rows, token) {
    fs.appendFileSync(this.file, rows.map((row) => `${row.map(quoted).join(",")}\n`).join(""));
    fs.writeFileSync(this.mark, token);
    this.rows += rows.length;
  }
}

function quoted(field) {
  const text = String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// ns since 1970, as text → 2026-01-01T00:00:00.000Z
function instant(time) {
  return new Date(Number(BigInt(time) / 1_000_000n)).toISOString();
}

// Until so many rows are written; Infinity: for ever.
async function follow(book, selectors, wanted) {
  for await (const { samples, lost, token } of updates(selectors, book.token)) {
    if (lost) console.error(`my-thing: ${lost} records were gone before`);
    book.add(samples.map(([path, time, value, quality]) => [path, instant(time), value, quality]), token);
    if (book.rows >= wanted) return;
  }
}

async function main() {
  const options = { file: { type: "string", default: "my-thing.csv" }, rows: { type: "string", default: "Infinity" } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const book = new Book(values.file);
  for (;;) {
    try {
      return await follow(book, positionals, Number(values.rows));
    } catch (error) {
      if (!passing(error)) throw error;
      console.error(`my-thing: ${error.details}`);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER));
  }
}

module.exports = { Book };
if (require.main === module) {
  main().catch((error) => {
    console.error(`my-thing: ${error.details ?? error.message}`);
    process.exit(2);
  });
}
