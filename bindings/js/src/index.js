import { UNNAMED } from "./bytes.js";
import { acquire, Status } from "./core.js";
import { documentOf, today } from "./document.js";
import { Edited } from "./edited.js";
import { SectileError } from "./error.js";
import { open } from "./source.js";

export { SectileError } from "./error.js";
export { FIELDS, FINDING_CODES } from "./tables.js";
export { gateStream, scanStream } from "./stream.js";

/** Reads the metadata of a source: the document of `sectile show --json`. */
export async function read(input, { packages, interface: withInterface, ...options } = {}) {
  return completed(await inspect(input, { op: "read", packages, interface: withInterface }, options));
}

/** Lists every section of a source: the document of `sectile sections --json`. */
export async function sections(input, options = {}) {
  return completed(await inspect(input, { op: "sections" }, options));
}

/** Judges a source by a policy: the document of `sectile check --json`. */
export async function check(input, { policy, policyName, packages, day, locations, ...options } = {}) {
  const request = { op: "check", policy, policy_name: policyName, packages, day: day ?? today(), locations };
  return documentOf(await inspect(input, request, options));
}

/** Lists the packages that a source declares, and those that its data names. */
export async function inventory(input, { recovered = true, ...options } = {}) {
  return (await read(input, { packages: recovered ? "all" : "declared", ...options })).packages;
}

/** Plans an edit of a source, which keeps all other bytes. */
export async function edit(input, changes, options = {}) {
  const { set, producers, dropProducers, put, allowInvalid, ...rest } = changes;
  const request = {
    ...rest,
    set: set && Object.entries(set).filter(([, value]) => value !== undefined),
    producers,
    drop_producers: dropProducers,
    put: put && Object.entries(put).map(([name, data]) => [name, toBase64(data)]),
    allow_invalid: allowInvalid,
  };
  return plan(input, request, options);
}

/** Plans the removal of debug sections from a source and its nested items. */
export async function strip(input, { keep, names, all, item, force, ...options } = {}) {
  return plan(input, { item, force, strip: { keep, names, all, this_item_only: item !== undefined } }, options);
}

async function plan(input, changes, options) {
  const { answer, source } = await withSource(input, options, { op: "edit", edit: changes }, true);
  try {
    return new Edited(source, documentOf(answer), answer.plan);
  } catch (error) {
    source.close();
    throw error;
  }
}

async function inspect(input, request, options) {
  return (await withSource(input, options, request, false)).answer;
}

/** Runs an operation on a source. It stays open if its bytes are needed later. */
async function withSource(input, { name, ...options }, request, keepsOpen) {
  const source = await open(input, options);
  let isKept = false;
  try {
    const answer = await perform(source, { ...request, file: name ?? source.name });
    isKept = keepsOpen;
    return { answer, source };
  } finally {
    if (!isKept) source.close();
  }
}

async function perform(source, request) {
  const core = await acquire();
  try {
    if (request.op === "check") request.locations ??= request.file === UNNAMED ? [] : [request.file];
    if (!source.isSynchronous) return await pull(core, request, source);
    const answer = core.run(request, source);
    if (!source.hasChanged()) return answer;
    if (request.op === "edit") throw new SectileError({ kind: "read", message: `${source.name} changed while it was read` });
    return core.run(request.op === "sections" ? request : { ...request, changed: true }, source);
  } finally {
    core.release();
  }
}

/** Runs an operation on a source that cannot be read synchronously. */
async function pull(core, request, source) {
  try {
    return await core.pull(request, source);
  } catch (error) {
    // The bytes that are needed do not fit into memory, such as all data of a large binary.
    const isStreamed = error.kind === "limit" && ["read", "check"].includes(request.op);
    if (!isStreamed) throw error;
    return core.stream(request, source);
  }
}

/** The document of a source that was read to its end. */
function completed(answer) {
  const document = documentOf(answer);
  if (answer.status === Status.done) return document;
  throw new SectileError(answer.error, { partial: document });
}

function toBase64(data) {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
