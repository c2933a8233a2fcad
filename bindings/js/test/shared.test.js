// The cases that every binding runs.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { check, edit, gateStream, inventory, read, scanStream, sections, SectileError, strip } from "sectile";
import { repositoryFile } from "./native.js";

const { inputs, cases } = JSON.parse(repositoryFile("tests/shared/cases.json"));

const bytesOf = ({ base64, file }) => (file === undefined ? Buffer.from(base64, "base64") : repositoryFile(file));

/** The text of the document, also of a source that is not valid. */
const document = (promise) =>
  promise.then(
    ({ json }) => ({ document: json }),
    (error) => {
      assert.ok(error instanceof SectileError, error);
      return { document: error.partial.json };
    },
  );

const judging = ({ policy, day, locations }) => ({
  policy: policy && repositoryFile(policy).toString(),
  policyName: policy,
  day,
  locations,
});

async function edited(promise) {
  try {
    const plan = await promise;
    return {
      document: plan.document.json,
      sha256: `sha256:${createHash("sha256").update(await plan.bytes()).digest("hex")}`,
    };
  } catch (error) {
    assert.ok(error instanceof SectileError, error);
    return { error: { message: error.message, offset: error.offset ?? null } };
  }
}

/** A stream of chunks of these sizes, which repeat. */
function chunked(bytes, sizes) {
  let [at, nth] = [0, 0];
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const size = sizes[nth++ % sizes.length];
      controller.enqueue(new Uint8Array(bytes.subarray(at, at + size)));
      at += size;
    },
  });
}

const sink = () => new WritableStream();

const operations = {
  read: (input) => document(read(input)),
  inventory: (input) => document(read(input, { packages: "all" })),
  sections: (input) => document(sections(input)),
  check: (input, request) => document(check(input, judging(request))),
  edit: (input, { edit: { set, put, drop_producers, allow_invalid, ...rest } }) =>
    edited(edit(input, {
      ...rest,
      set: set && Object.fromEntries(set),
      put: put && Object.fromEntries(put.map(([name, data]) => [name, Buffer.from(data, "base64")])),
      dropProducers: drop_producers,
      allowInvalid: allow_invalid,
    })),
  strip: (input, request) => edited(strip(input, request.strip)),
  async push(input, { chunks }) {
    const scan = scanStream();
    await chunked(input, chunks).pipeThrough(scan).pipeTo(sink());
    return document(scan.result);
  },
  async gate(input, { chunks, max_bytes: maxBytes, declared_len: declaredLength, ...request }) {
    const gate = gateStream({ ...judging(request), maxBytes, declaredLength });
    await chunked(input, chunks).pipeThrough(gate).pipeTo(sink()).catch(() => {});
    return gate.result.then(
      (verdict) => ({ accepted: true, document: verdict.json }),
      (error) => {
        assert.ok(error instanceof SectileError, error);
        return { accepted: false, document: error.partial.json, kind: error.kind, message: error.message };
      },
    );
  },
};

for (const [operation, run] of Object.entries(operations)) {
  test(`shared cases: ${operation}`, async () => {
    const own = cases.filter(({ request }) => request.operation === operation);
    assert.ok(own.length > 0);
    for (const { input, request, answer } of own) {
      const bytes = bytesOf(inputs[input]);
      const { size, ...expected } = answer;
      assert.deepEqual(await run(bytes, request), expected, `${input} ${JSON.stringify(request)}`);
      if (["push", "gate"].includes(operation)) continue;
      assert.deepEqual(await run(new Blob([bytes]), request), expected, `${input} as a blob: ${JSON.stringify(request)}`);
    }
  });
}

test("every operation of the shared cases is run", () => {
  const names = new Set(cases.map(({ request }) => request.operation));
  assert.deepEqual([...names].filter((name) => !(name in operations)), []);
});
