// A client of bedplate.api.v1, made from protos/ alone: node client.js [SELECTOR…] [--updates N] [--resume TOKEN]
// Lists the tags, what they are, what they were in the last ten minutes, and what they become until Ctrl-C or N updates.
// A line is: what, path, time in ns since 1970 UTC, value, OPC UA StatusCode. The last line is the token to resume with.
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const { parseArgs } = require("util");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const CREDIT = 4; // responses that may be under way
const RETRY = 1000; // ms

const file = { includeDirs: [path.join(__dirname, "protos")], longs: String, enums: String, defaults: true, oneofs: true };
const { bedplate } = grpc.loadPackageDefinition(loadSync("bedplate/api/v1/api.proto", file));
const api = bedplate.api.v1;

// The running Bedplate of this user, as `bedplate run` announces it: address and token.
function announced() {
  const config = process.env.XDG_CONFIG_HOME || path.join(os.homedir(), ".config");
  const folder = path.join(process.env.BEDPLATE_HOME || path.join(config, "bedplate"), "endpoints");
  const found = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  if (found.length !== 1) throw new Error(`${folder} names ${found.length} running Bedplates, not one`);
  return JSON.parse(fs.readFileSync(path.join(folder, found[0])));
}

// The samples of a batch as [handle, time, value, quality]. A column has an entry for each sample, or one for all.
function* samples(batch) {
  const at = (column, i, none) => (column.length > 1 ? column[i] : column[0] ?? none);
  const type = batch.dataType.replace("DATA_TYPE_", "").toLowerCase();
  const bytes = type === "text" || type === "blob";
  const value = (i) => {
    if (bytes) return batch[type].subarray(batch.end[i - 1] ?? 0, batch.end[i]).toString(type === "text" ? "utf8" : "hex");
    return type === "bool" ? batch.bool[i] === 1 : batch[type][i];
  };
  for (let i = 0; i < batch.count; i++) yield [at(batch.tag, i), at(batch.time, i), value(i), at(batch.quality, i, 0)];
}

function print(what, names, batch) {
  for (const [tag, ...rest] of samples(batch)) console.log([what, names.get(tag), ...rest].join("\t"));
}

function learn(names, tags) {
  for (const tag of tags) names.set(tag.handle, tag.path);
}

// Prints the answer of Live.Current or History.Query: tags, and batches that use their handles.
async function printAll(what, answer) {
  const names = new Map();
  for await (const page of answer) {
    learn(names, page.tags);
    for (const batch of page.batches) print(what, names, batch);
  }
}

// Prints updates; returns the token to go on after the last of them. A server that goes away is asked again.
async function follow(live, metadata, selectors, resumeToken, updates) {
  while (updates > 0) {
    const stream = live.subscribe(metadata);
    stream.write({ open: { selectors, resumeToken, credit: CREDIT } });
    const names = new Map();
    try {
      for await (const { tables, records, resumeToken: next, lost } of stream) {
        if (lost !== "0") console.error(`${lost} records were lost`);
        for (const { tags } of tables) learn(names, tags);
        for (const { batch } of records) if (batch) print("live", names, batch);
        resumeToken = next;
        if (--updates === 0) return resumeToken;
        stream.write({ credit: 1 });
      }
    } catch (error) {
      if (![grpc.status.ABORTED, grpc.status.UNAVAILABLE].includes(error.code)) throw error;
      console.error(error.details);
      resumeToken = error.metadata.get("bedplate-resume-token-bin")[0] ?? resumeToken;
    } finally {
      stream.cancel();
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY));
  }
  return resumeToken;
}

async function main() {
  const options = { updates: { type: "string", default: "Infinity" }, resume: { type: "string", default: "" } };
  const { values, positionals: selectors } = parseArgs({ options, allowPositionals: true });
  const { address, token } = announced();
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  const [catalog, live, history] = [api.Catalog, api.Live, api.History].map(
    (Service) => new Service(address, grpc.credentials.createInsecure(), { "grpc.max_receive_message_length": 16 << 20 })
  );
  for await (const page of catalog.listTags({ selectors }, metadata)) {
    for (const { tag, component } of page.tags) console.log(["tag", tag.path, component, tag.unit].join("\t"));
  }
  await printAll("current", live.current({ selectors }, metadata));
  const from = String(BigInt(Date.now() - 600_000) * 1_000_000n);
  await printAll("history", history.query({ selectors, from }, metadata));
  const next = await follow(live, metadata, selectors, Buffer.from(values.resume, "hex"), Number(values.updates));
  console.log(`resume\t${next.toString("hex")}`);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error.details ?? error.message);
    process.exit(1);
  }
);
