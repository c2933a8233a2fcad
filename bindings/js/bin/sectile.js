#!/usr/bin/env node
// `npx sectile show FILE…`: the documents of the command. For everything else, install the command.
import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { check, edit, read, sections, SectileError, strip } from "../src/index.js";

const USAGE = `Read and edit the metadata of WebAssembly modules and components

Usage: sectile show FILE… [--packages declared|all] [--interface]
       sectile sections FILE…
       sectile check FILE… [--policy FILE] [--packages declared|all]
       sectile set FILE… FIELD=VALUE…
       sectile strip FILE… [--names] [--all]

FILE is a path or a URL. Each FILE gives one line of JSON, as the command \`sectile\` with \`--json\` prints it.
\`set\` and \`strip\` replace files. The exit status is 1 if a policy refuses a file, and 2 for errors.
`;

const options = {
  help: { type: "boolean", short: "h" },
  interface: { type: "boolean" },
  packages: { type: "string" },
  policy: { type: "string" },
  names: { type: "boolean" },
  all: { type: "boolean" },
};

/** Runs a command, and returns the exit status. */
export async function main(args, print = console.log, complain = console.error) {
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    complain(error.message);
    return 2;
  }
  const { values, positionals: [command, ...operands] } = parsed;
  const run = commands[command];
  if (values.help || !run || operands.length === 0) {
    (values.help ? print : complain)(USAGE.trimEnd());
    return values.help ? 0 : 2;
  }
  let policy;
  try {
    policy = values.policy && (await readFile(values.policy, "utf8"));
  } catch (error) {
    complain(escaped(error.message)); // it names the policy
    return 2;
  }
  let status = 0;
  const isChange = (operand) => command === "set" && !URL.canParse(operand) && /^[a-z]+=/.test(operand);
  const set = Object.fromEntries(operands.filter(isChange).map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]));
  for (const file of operands.filter((operand) => !isChange(operand))) {
    try {
      const document = await run(file, { ...values, policy, policyName: values.policy }, set);
      print(document.json);
      if (document.accepted === false) status = Math.max(status, document.outcome === "complete" ? 1 : 2);
    } catch (error) {
      if (error instanceof SectileError && error.partial) print(error.partial.json);
      complain(`${escaped(file)}: ${escaped(error.message)}`);
      status = 2;
    }
  }
  return status;
}

const commands = {
  show: (file, { packages, interface: withInterface }) => read(file, { packages, interface: withInterface }),
  sections: (file) => sections(file),
  check: (file, { policy, policyName, packages }) => check(file, { packages, policy, policyName }),
  set: async (file, _, set) => written(await edit(file, { set })),
  strip: async (file, { names, all }) => written(await strip(file, { names, all })),
};

async function written(edited) {
  edited.isChanged ? await edited.write() : edited.close();
  return edited.document;
}

/** Text that is safe on a terminal. */
function escaped(text) {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (found) => `\\u{${found.codePointAt(0).toString(16)}}`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
