// Streams that pass an upload on while it is inspected.
import { acquire, Status } from "./core.js";
import { documentOf, today } from "./document.js";
import { SectileError } from "./error.js";
import { nodeModule } from "./platform.js";

/**
 * A pair of streams for `pipeThrough` that passes bytes on and reads their metadata. Bytes that are
 * not valid pass, too: then `result` is rejected.
 */
export function scanStream({ name, packages } = {}) {
  const request = { op: "read", file: name, packages };
  return inspectedStream(request, { stopsEarly: false });
}

/**
 * A pair of streams for `pipeThrough` that passes an upload on while a policy judges it. When the
 * bytes allow a refusal, both streams fail with it. The readable stream closes only if the upload is accepted.
 */
export function gateStream({ name, packages, policy, policyName, day, locations, declaredLength, maxBytes, digest } = {}) {
  const request = {
    op: "gate",
    file: name,
    packages,
    policy,
    policy_name: policyName,
    day: day ?? today(),
    locations,
    declared_len: declaredLength,
    max_bytes: maxBytes,
    digest,
  };
  return inspectedStream(request, { stopsEarly: true });
}

function inspectedStream(request, { stopsEarly }) {
  // The platform is faster than the core, but browsers cannot hash a stream.
  const hash = request.digest && nodeModule("node:crypto")?.createHash("sha256");
  let core;
  let isOver = false;
  let settle;
  const result = new Promise((resolve, reject) => (settle = { resolve, reject }));
  result.catch(() => {}); // the stream fails, too

  const finish = (sha256) => {
    isOver = true;
    try {
      const answer = core.end(sha256);
      const document = documentOf(answer);
      if (answer.status === Status.done) return settle.resolve(document);
      const error = new SectileError(answer.error, { partial: document });
      settle.reject(error);
      if (stopsEarly) throw error;
    } finally {
      core.release();
    }
  };
  const abandon = (error) => {
    if (!isOver) core?.release();
    isOver = true;
    settle.reject(error);
    throw error;
  };
  const { readable, writable } = new TransformStream({
    async start() {
      try {
        core = await acquire();
        core.begin(hash ? { ...request, host_digest: true } : request);
      } catch (error) {
        abandon(error);
      }
    },
    transform(chunk, controller) {
      try {
        if (!isOver) hash?.update(chunk);
        if (!isOver && core.feed(chunk) !== Status.done) finish();
      } catch (error) {
        isOver ? settle.reject(error) : abandon(error);
        throw error;
      }
      controller.enqueue(chunk);
    },
    flush() {
      if (!isOver) finish(hash?.digest());
    },
    cancel(reason) {
      if (!isOver) core?.release();
      isOver = true;
      settle.reject(reason ?? new SectileError({ kind: "read", message: "the stream was canceled" }));
    },
  });
  return { readable, writable, result };
}
