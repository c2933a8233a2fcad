/** The document of an answer, with its text as a property that is not enumerable. */
export function documentOf({ json }) {
  return Object.defineProperty(JSON.parse(json), "json", { value: json });
}

/** The present day in UTC, for exceptions that expire. */
export function today() {
  const epoch = globalThis.process?.env?.SOURCE_DATE_EPOCH;
  return new Date(epoch ? Number(epoch) * 1000 : Date.now()).toISOString().slice(0, 10);
}
