// Builds the page as one file without outside parts: `node site/build.mjs [FILE]`. The default is target/site/index.html.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const site = dirname(fileURLToPath(import.meta.url));
const project = join(site, "..");
const target = join(project, "target/site");
const report = join(project, "crates/sectile-audit/src/format/html");
// `.ci/site` installs it.
const esbuild = createRequire(join(target, "package.json"))("esbuild");

const text = (path) => readFileSync(path, "utf8");
const digest = (content) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`;

// The drawing code of the report of an audit, as a module.
const SHARED = ["SEVERITIES", "byId", "bytes", "grouped", "hex", "make", "panel", "sectionMap", "share", "show", "shown", "visible"];
const shared = `${text(join(report, "text.js"))}${text(join(report, "map.js"))}export { ${SHARED.join(", ")} };\n`;

const bundled = await esbuild.build({
  entryPoints: [join(site, "src/page.js")],
  bundle: true,
  write: false,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  alias: { sectile: join(project, "bindings/js/src/index.js") },
  inject: [join(site, "src/core-bytes.js")], // the page cannot fetch: this `fetch` gives the core
  define: { "import.meta.url": '"https://core.invalid/src/core.js"' },
  plugins: [{
    name: "report",
    setup(build) {
      build.onResolve({ filter: /^report$/ }, () => ({ path: "report", namespace: "report" }));
      build.onLoad({ filter: /.*/, namespace: "report" }, () => ({ contents: shared, loader: "js" }));
    },
  }],
});
const script = bundled.outputFiles[0].text;
if (/<\/script|<!--/.test(script)) throw new Error("the script would end its element");
const style = text(join(report, "page.css")) + text(join(site, "src/page.css"));
const core = readFileSync(join(project, "bindings/js/sectile.wasm")).toString("base64");

const policy = `default-src 'none'; script-src ${digest(script)} 'wasm-unsafe-eval'; style-src ${digest(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
const [, icon] = /const ICON: &str = "([^;]*)";/.exec(text(join(report, "mod.rs")));
const values = { POLICY: policy, STYLE: style, SCRIPT: script, CORE: core, ICON: icon.replace(/\\\n\s*/g, "") };
const page = text(join(site, "src/page.html")).replace(/@([A-Z]+)@/g, (_, name) => values[name]);

const file = process.argv[2] ?? join(target, "index.html");
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, page);
console.log(`${file}: ${page.length} bytes, of which ${core.length} are the core`);
