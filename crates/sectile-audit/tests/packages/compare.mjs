// Installs packages of npm, records what Node compiles when it runs them, and compares that with an audit.
//
// node compare.mjs SECTILE FRAME DIRECTORY [PACKAGE…]
//
// Prints a table in Markdown. Fails if the audit does not have a binary that was compiled, or if wasmparser cannot frame
// a binary that the audit found inside another file.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [sectile, frame, target, ...only] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const directory = resolve(target);
const list = readFileSync(join(here, 'list.txt'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
const packages = list.map((line) => line.split(/\s+/)).filter(([name]) => only.length === 0 || only.includes(name));

mkdirSync(directory, { recursive: true });
if (!existsSync(join(directory, 'package.json'))) writeFileSync(join(directory, 'package.json'), '{"private":true}');
writeFileSync(join(directory, 'entry.mjs'), 'export const resolve = (name) => import.meta.resolve(name);\n');
const isInstalled = (name) => existsSync(join(directory, 'node_modules', name, 'package.json'));
for (const [name, version] of packages.filter(([name]) => !isInstalled(name))) {
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent', '--legacy-peer-deps', '--save-exact'];
  spawnSync('npm', ['install', ...options, version?.includes('.js') ? name : `${name}${version ? `@${version}` : ''}`], { cwd: directory });
}

const rows = (path) => {
  const audit = spawnSync(sectile, ['audit', path, '--hash', '--no-progress', '--format', 'jsonl', '--allow-empty'], {
    maxBuffer: 1 << 30,
    encoding: 'utf8',
  });
  return audit.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((line) => line.row === 'binary');
};

const all = rows(join(directory, 'node_modules'));
const found = new Set(all.map((row) => row.digest?.replace('sha256:', '')));
const table = [];
let missed = 0;
for (const [name, , ...subpaths] of packages.filter(([name]) => isInstalled(name))) {
  const record = join(directory, 'record.jsonl');
  rmSync(record, { force: true });
  spawnSync('node', ['--import', join(here, 'record.mjs'), join(here, 'exercise.mjs'), name, directory], {
    cwd: directory,
    env: { ...process.env, RECORD: record, SUBPATHS: subpaths.join(' ') },
    stdio: 'ignore',
    timeout: 60_000,
  });
  const lines = existsSync(record) ? readFileSync(record, 'utf8').split('\n').filter(Boolean) : [];
  const compiled = new Map(lines.map((line) => JSON.parse(line)).map(({ sha256, length }) => [sha256, length]));
  const prefix = join(directory, 'node_modules', name);
  const inside = all.filter((row) => row.encoding !== undefined && row.file.startsWith(`${prefix}/`));
  const missing = [...compiled].filter(([sha256, length]) => length >= 13 && !found.has(sha256));
  missed += missing.length;
  const { version } = JSON.parse(readFileSync(join(prefix, 'package.json'), 'utf8'));
  const encodings = [...new Set(inside.map((row) => row.encoding.join(' > ')))].sort().join(', ');
  const big = [...compiled.values()].filter((length) => length >= 13).length;
  const own = all.filter((row) => row.encoding === undefined && row.file.startsWith(`${prefix}/`)).length;
  table.push(`| ${name} ${version} | ${own} | ${inside.length} | ${encodings} | ${big} | ${missing.length} |`);
  for (const [sha256, length] of missing) console.error(`missing: ${name}: ${length} bytes, ${sha256}`);
}
console.log('| package | files | inside other files | encodings | compiled | of these not found |');
console.log('| --- | --- | --- | --- | --- | --- |');
console.log(table.join('\n'));
console.log(`\n${all.length} rows, ${all.filter((row) => row.encoding !== undefined).length} of them inside other files`);
const names = all.filter((row) => row.encoding !== undefined).map((row) => `${row.file}\n`).join('');
const framing = spawnSync(frame, [], { input: names, stdio: ['pipe', 'inherit', 'inherit'] });
process.exit(missed > 0 || framing.status !== 0 ? 1 : 0);
