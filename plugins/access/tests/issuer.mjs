// An OpenID Connect issuer made with an independent library (oidc-provider), for the tests: prints its address in a line.
// A program gets tokens by its client credentials; `alg` of its name says how they are signed; /rotate changes the keys.
import { generateKeyPairSync } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";

const load = createRequire(process.argv[2] + "/");
const { default: Provider } = await import(load.resolve("oidc-provider"));

const AUDIENCE = "bedplate:plant";
const key = (kid, type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), kid, alg, use: "sig",
});
const fresh = (n) => [
  key(`rsa-${n}`, "rsa", { modulusLength: 2048 }, "RS256"),
  key(`ec-${n}`, "ec", { namedCurve: "P-256" }, "ES256"),
];
const client = (id) => ({
  client_id: id, client_secret: "of-the-test-alone", grant_types: ["client_credentials"],
  redirect_uris: [], response_types: [],
});

const make = (issuer, keys) => new Provider(issuer, {
  jwks: { keys },
  clients: ["press-rs256", "press-es256", "press-other"].map(client),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => `urn:${AUDIENCE}`,
      getResourceServerInfo: (ctx, resource, one) => ({
        scope: "", audience: one.clientId === "press-other" ? "urn:other" : `urn:${AUDIENCE}`,
        accessTokenFormat: "jwt", accessTokenTTL: 300,
        jwt: { sign: { alg: one.clientId.endsWith("es256") ? "ES256" : "RS256" } },
      }),
    },
  },
  extraTokenClaims: () => ({ groups: ["bp-operators", "bedplate:scope:none", "visitors"] }),
});

let turn = 1;
let handle = () => {};
const server = http.createServer((request, response) => {
  if (request.url === "/rotate") {
    turn += 1;
    handle = make(issuer, fresh(turn)).callback();
    response.end("rotated");
  } else handle(request, response);
});
server.listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
handle = make(issuer, fresh(turn)).callback();
console.log(issuer);
process.stdin.on("end", () => process.exit(0)).resume();
