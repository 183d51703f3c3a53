// Which Bedplate, what it sends, and what columns mean: bedplate.api.v1 for a program of your own. You need not change it.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const CREDIT = 4; // responses that may be under way
const LIKE = { includeDirs: [path.join(__dirname, "protos")], longs: String, enums: String, defaults: true, oneofs: true };
const LIMIT = { "grpc.max_receive_message_length": 16 << 20 }; // of the contract

// The running Bedplate of this user, as `bedplate run` announces it, or that of $BEDPLATE_ENDPOINT with $BEDPLATE_TOKEN.
function announced() {
  const { BEDPLATE_ENDPOINT: address, BEDPLATE_TOKEN: token = "", BEDPLATE_HOME, XDG_CONFIG_HOME } = process.env;
  if (address) return { address, token };
  const config = XDG_CONFIG_HOME || path.join(os.homedir(), ".config");
  const folder = path.join(BEDPLATE_HOME || path.join(config, "bedplate"), "endpoints");
  const found = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  if (found.length !== 1) throw new Error(`${folder} names ${found.length} running Bedplates, not one; BEDPLATE_ENDPOINT can say which`);
  return JSON.parse(fs.readFileSync(path.join(folder, found[0])));
}

// Updates of these tags, from what the token says on: {samples: [[path, time in ns as text, value, quality]], lost, token}.
// Throws an error with the code and the words of gRPC. Ends its stream when the loop over it ends.
async function* updates(selectors, resumeToken) {
  const { address, token } = announced();
  const { Live } = grpc.loadPackageDefinition(loadSync("bedplate/api/v1/api.proto", LIKE)).bedplate.api.v1;
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  const live = new Live(address, grpc.credentials.createInsecure(), LIMIT);
  const stream = live.subscribe(metadata);
  const names = new Map(); // handle → path
  try {
    stream.write({ open: { selectors, resumeToken, credit: CREDIT } });
    for await (const { tables, records, resumeToken: token, lost } of stream) {
      for (const { tags } of tables) for (const tag of tags) names.set(tag.handle, tag.path);
      yield { samples: records.flatMap(({ batch }) => (batch ? [...samples(batch, names)] : [])), lost: Number(lost), token };
      stream.write({ credit: 1 });
    }
  } finally {
    stream.on("error", () => {}).cancel();
    live.close();
  }
}

// A column has an entry for each sample, or one for all.
function* samples(batch, names) {
  const at = (column, i, none) => (column.length > 1 ? column[i] : column[0] ?? none);
  const type = batch.dataType.replace("DATA_TYPE_", "").toLowerCase();
  const value = (i) => {
    if (type === "bool") return batch.bool[i] === 1;
    if (type !== "text" && type !== "blob") return batch[type][i];
    return batch[type].subarray(batch.end[i - 1] ?? 0, batch.end[i]).toString(type === "text" ? "utf8" : "hex");
  };
  for (let i = 0; i < batch.count; i++) yield [names.get(at(batch.tag, i)), at(batch.time, i), value(i), at(batch.quality, i, 0)];
}

// Whether it is worth another try: it went away, or cut us.
const passing = ({ code }) => [grpc.status.UNAVAILABLE, grpc.status.ABORTED].includes(code);

module.exports = { passing, updates };
