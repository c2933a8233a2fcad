// Objects on web servers.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { check, edit, read } from "sectile";
import { component, files } from "./native.js";

const small = readFileSync(component);
/** A module with metadata at its end, behind ten megabytes. */
const large = Buffer.concat([
  Buffer.from([0, 97, 115, 109, 1, 0, 0, 0, 11, 0x80, 0x80, 0x80, 0x05]),
  Buffer.alloc(10 << 20),
  Buffer.from([0, 12, 8, ...Buffer.from("licensesMIT")]),
]);

let server, base, requests, respond;
before(async () => {
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.headers.range ?? ""}`);
    respond(request, response, requests.length);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${server.address().port}/a.wasm`;
});
after(() => server.close());

/** Answers ranges of these bytes. */
const ranges = (bytes, headers = () => ({ etag: '"1"' })) => (request, response, nth) => {
  const found = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (!found) return response.writeHead(200, { "content-length": bytes.length, ...headers(nth) }).end(request.method === "HEAD" ? "" : bytes);
  const [start, end] = [Number(found[1]), Math.min(Number(found[2]) + 1, bytes.length)];
  if (start >= bytes.length) return response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
  response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${bytes.length}`, ...headers(nth) });
  response.end(bytes.subarray(start, end));
};

async function served(answer, call) {
  requests = [];
  respond = answer;
  return call();
}
const fails = (answer, pattern) => served(answer, () => assert.rejects(read(base), { kind: "read", message: pattern }));

test("a URL is read by ranges", async () => {
  const document = await served(ranges(large), () => read(base));
  assert.equal(document.item.annotations.licenses, "MIT");
  assert.equal(document.file, base);
  assert.deepEqual(requests, ["GET bytes=0-65535", `GET bytes=${13 + (10 << 20)}-${large.length - 1}`]);
});

test("documents are those of the same bytes", async () => {
  for (const path of files) {
    const bytes = readFileSync(path);
    const outcome = (promise) => promise.then((document) => document.json, (error) => error.partial?.json ?? error.message);
    const remote = await served(ranges(bytes), () => outcome(read(base, { name: "a", packages: "all" })));
    assert.equal(remote, await outcome(read(bytes, { name: "a", packages: "all" })));
  }
});

test("a server that ignores ranges sends the whole object", async () => {
  const whole = (_, response) => response.end(small);
  const document = await served(whole, () => read(new URL(base)));
  assert.equal(document.json, (await read(small, { name: base })).json);
  assert.equal(requests.length, 1);
  await served(whole, () => assert.rejects(read(base, { maxWhole: 1_000 }), { kind: "read", message: /more than 1000 bytes/ }));
});

test("a size that Content-Range omits is requested", async () => {
  const answer = (request, response, nth) => {
    if (request.method === "HEAD") return response.writeHead(200, { "content-length": large.length }).end();
    ranges(large, () => ({}))(request, Object.assign(response, { writeHead: ((original) => (status, headers) =>
      original.call(response, status, { ...headers, "content-range": headers["content-range"].replace(/\d+$/, "*") }))(response.writeHead) }), nth);
  };
  assert.equal((await served(answer, () => read(base))).item.annotations.licenses, "MIT");
  assert.equal(requests[1], "HEAD ");
});

test("an empty object is not WebAssembly", () =>
  served(ranges(Buffer.alloc(0)), () => assert.rejects(read(base), { kind: "not-wasm" })));

test("an object that changes between requests is an error", async () => {
  await fails(ranges(large, (nth) => ({ etag: `"${nth}"` })), /changed while it was read/);
  await fails((request, response, nth) => ranges(nth > 1 ? Buffer.concat([large, large]) : large)(request, response, nth), /changed while it was read/);
  await fails((request, response, nth) => (nth > 1 ? response.end(large) : ranges(large)(request, response, nth)), /whole object/);
});

test("answers that do not fit their requests are errors", async () => {
  const with206 = (range, body) => (_, response) => response.writeHead(206, range ? { "content-range": range } : {}).end(body);
  await fails(with206(undefined, small), /no valid Content-Range/);
  await fails(with206(`bytes 5-100/${small.length}`, small), /another range/);
  await fails(with206("bytes 0-9/100000", small), /more than 10 bytes/);
  await fails((_, response) => response.writeHead(404).end(), /status 404/);
  await fails((_, response) => response.writeHead(206, { "content-range": "bytes 0-9/10", "content-encoding": "gzip" }).end(), /./).catch((error) => {
    if (!(error instanceof assert.AssertionError)) throw error; // the platform may reject the encoding first
  });
});

test("requests can be canceled", () =>
  served(() => {}, () => assert.rejects(read(base, { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" })));

test("URLs are judged and edited", async () => {
  assert.ok((await served(ranges(large), () => check(base))).accepted);
  const edited = await served(ranges(large), () => edit(base, { set: { licenses: "Apache-2.0" } }));
  const bytes = await edited.bytes();
  assert.equal((await read(bytes)).item.annotations.licenses, "Apache-2.0");
  assert.equal(bytes.length, edited.size);
});
