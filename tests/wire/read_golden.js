// Reads the golden wire files as a stranger would: protobufjs, straight from protos/, nothing of Bedplate.
// node read_golden.js PROTOS NODE_MODULES FILE…   FILE is a description (.json); its bytes lie beside it (.bin).
// Prints one JSON object: name of the file → what was found in it, in the words of golden_files.py.
"use strict";
const fs = require("fs");
const path = require("path");
const [protos, modules, ...files] = process.argv.slice(2);
const protobuf = require(path.join(modules, "protobufjs"));

const LONG = new Set(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);
const root = new protobuf.Root();
root.resolvePath = (_, target) => path.join(protos, target);

function bits(number) {
  const view = Buffer.alloc(8);
  view.writeDoubleBE(number);
  return view.toString("hex");
}

function one(field, value) {
  if (field.resolvedType instanceof protobuf.Type) return described(field.resolvedType, value);
  if (LONG.has(field.type)) return value.toString();
  if (field.type === "double") return bits(value);
  if (field.type === "bytes") return Buffer.from(value).toString("hex");
  return value;
}

function described(type, message) {
  const found = {};
  for (const field of type.fieldsArray) {
    if (!Object.prototype.hasOwnProperty.call(message, field.name)) continue;
    const value = message[field.name];
    if ((field.map || field.repeated) && !Object.keys(value).length) continue; // not set
    if (field.map) {
      const keys = Object.keys(value).map((key) => [protobuf.util.longFromHash(key).toString(), value[key]]);
      found[field.name] = Object.fromEntries(keys.map(([key, inner]) => [key, one(field, inner)]));
    } else if (field.repeated) {
      found[field.name] = value.map((inner) => one(field, inner));
    } else {
      found[field.name] = one(field, value);
    }
  }
  return found;
}

const names = fs.readdirSync(path.join(protos, "bedplate"));
root.loadSync(names.map((name) => `bedplate/${name}/v1/${name}.proto`), { keepCase: true });
root.resolveAll();
const answer = {};
for (const file of files) {
  const type = root.lookupType(JSON.parse(fs.readFileSync(file, "utf-8")).type);
  const encoded = fs.readFileSync(file.replace(/json$/, "bin"));
  answer[path.basename(file, ".json")] = described(type, type.decode(encoded));
}
console.log(JSON.stringify(answer));
