// Families of sections, as the report of an audit colors them.
import { FAMILIES, KINDS, NAMES } from "./families.js";

const kinds = new Map(KINDS);
const names = new Map(NAMES);
const prefixes = NAMES.filter(([name]) => name.endsWith("*")).map(([name, family]) => [name.slice(0, -1), family]);
const UNKNOWN = FAMILIES.length - 1;

/** The family of a section of the document: by its kind, or by the name of a custom section. */
export function familyOf({ kind, name }) {
  if (kind !== "custom") return kinds.get(kind) ?? UNKNOWN;
  return names.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1] ?? UNKNOWN;
}
