// The package in headless Chromium: documents are those that Node reads.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { test } from "node:test";
import { check, read } from "sectile";
import { files } from "./native.js";

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
const chromium = process.env.CHROMIUM ?? "chromium";

/** Runs in the page. */
const PAGE = `<!doctype html><script type="module">
import { check, edit, read, scanStream, SectileError } from "/src/index.js";
const results = {};
const json = (promise) => promise.then((document) => document.json, (error) => error.partial?.json ?? String(error));
try {
  for (const name of await (await fetch("/files")).json()) {
    const url = "/files/" + name;
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
    const blob = new File([bytes], name);
    const scan = scanStream({ name });
    await blob.stream().pipeThrough(scan).pipeTo(new WritableStream());
    const edited = await edit(blob, { set: { licenses: "MIT" }, force: true }).catch((error) => String(error));
    results[name] = {
      bytes: await json(read(bytes, { name, packages: "all" })),
      blob: await json(read(blob, { packages: "all" })),
      url: await json(read(url, { name, packages: "all" })),
      check: await json(check(blob, { day: "2026-01-01" })),
      scan: JSON.parse(await json(scan.result)).item?.kind,
      licenses: typeof edited === "string" ? edited : (await read(await edited.bytes())).item.annotations.licenses,
    };
  }
} catch (error) {
  results.error = String(error?.stack ?? error);
}
await fetch("/results", { method: "POST", body: JSON.stringify(results) });
</script>`;

test("documents in Chromium are those in Node", { timeout: 120_000 }, async (context) => {
  const names = new Map(files.map((path) => [basename(path), path]));
  let deliver;
  const delivered = new Promise((resolve) => (deliver = resolve));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (request.method === "POST") {
      let body = "";
      request.on("data", (chunk) => (body += chunk)).on("end", () => {
        response.end();
        deliver(JSON.parse(body));
      });
      return;
    }
    if (pathname === "/") return response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
    if (pathname === "/files") return response.end(JSON.stringify([...names.keys()]));
    const path = names.get(pathname.replace("/files/", "")) ?? (/^\/(src\/\w+\.js|sectile\.wasm)$/.test(pathname) && new URL(`..${pathname}`, import.meta.url));
    if (!path) return response.writeHead(404).end();
    const bytes = readFileSync(path);
    const headers = { "content-type": TYPES[extname(pathname)] ?? "application/octet-stream", etag: '"1"' };
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (!range) return response.writeHead(200, headers).end(bytes);
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]) + 1, bytes.length)];
    response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${end - 1}/${bytes.length}` }).end(bytes.subarray(start, end));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const profile = mkdtempSync(join(tmpdir(), "sectile-browser-"));
  const options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", `--user-data-dir=${profile}`];
  const browser = spawn(chromium, [...options, `http://127.0.0.1:${server.address().port}/`], { stdio: "ignore" });
  const failed = new Promise((_, reject) => {
    browser.on("error", reject);
    browser.on("exit", (code) => reject(new Error(`Chromium ended with ${code}`)));
  });
  failed.catch(() => {});
  try {
    const results = await Promise.race([delivered, failed]);
    assert.equal(results.error, undefined);
    const json = (promise) => promise.then((document) => document.json, (error) => error.partial?.json ?? String(error));
    for (const [name, path] of names) {
      const bytes = readFileSync(path);
      const expected = await json(read(bytes, { name, packages: "all" }));
      const { kind } = JSON.parse(expected).item ?? {};
      assert.equal(results[name].bytes, expected);
      assert.equal(results[name].blob, expected);
      assert.equal(results[name].url, expected);
      assert.equal(results[name].check, await json(check(bytes, { name, day: "2026-01-01" })));
      assert.equal(results[name].scan, kind);
      assert.equal(results[name].licenses, "MIT");
    }
    context.diagnostic(`${names.size} files`);
  } finally {
    browser.removeAllListeners("exit");
    const ended = new Promise((resolve) => browser.once("exit", resolve));
    browser.kill("SIGKILL");
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});
