/** A module of Node, also in Deno and Bun; undefined in browsers. */
export function nodeModule(name) {
  return globalThis.process?.getBuiltinModule?.(name);
}
