// Loads a package in all ways, and calls what it exports, so that it compiles its binaries.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [name, directory] = process.argv.slice(2);
setTimeout(() => process.exit(0), 45_000).unref();
for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, () => {});
console.log = console.warn = console.error = console.info = () => {};

const soon = (value) => Promise.race([value, new Promise((resolve) => setTimeout(resolve, 6_000).unref())]);
const attempt = async (action) => {
  try {
    return await soon(action());
  } catch {
    return undefined;
  }
};

const isUsable = (value) => value !== null && (typeof value === 'object' || typeof value === 'function');
const skipped = /exit|kill|abort|close|destroy|terminate|serve|listen|watch|delete|remove|^__/i;

async function use(value, depth) {
  if (!isUsable(value) || depth > 2) return;
  if (typeof value.then === 'function') value = await attempt(() => value);
  if (!isUsable(value)) return;
  const isFirst = (key) => /^(default|ready|init|initialize|load|instantiate|create.*|get.*|new.*)$/i.test(key);
  const keys = [...new Set([...Object.keys(value), ...(value.ready ? ['ready'] : [])])].filter((key) => !skipped.test(key));
  keys.sort((a, b) => isFirst(b) - isFirst(a));
  if (typeof value === 'function' && depth > 0) {
    for (const parameters of [[], ['abc'], [new Uint8Array(64)]]) {
      const result = await attempt(() => value(...parameters));
      if (result !== undefined) {
        if (depth < 2) await use(result, depth + 1);
        break;
      }
    }
  }
  for (const key of keys.slice(0, 120)) {
    const member = await attempt(() => value[key]);
    await use(member, depth + 1);
  }
}

const require = createRequire(pathToFileURL(`${directory}/package.json`));
const loads = [() => import(pathToFileURL(require.resolve(name))), () => require(name)];
const subpaths = (process.env.SUBPATHS ?? '').split(' ').filter(Boolean);
for (const path of subpaths) loads.push(() => import(pathToFileURL(`${directory}/node_modules/${path}`)));
loads.push(async () => import((await import(pathToFileURL(`${directory}/entry.mjs`))).resolve(name)));
for (const load of loads) await use(await attempt(load), 0);
process.exit(0);
