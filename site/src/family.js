// Families of sections, as the report of an audit colors them.
import { FAMILIES, KINDS, NAMES } from "./families.js";

const kinds = new Map(KINDS);
const names = new Map(NAMES);
const prefixes = NAMES.filter(([name]) => name.endsWith("*")).map(([name, family]) => [name.slice(0, -1), family]);
const [SEVERAL, UNKNOWN] = ["c-several", "c-unknown"].map((name) => FAMILIES.findIndex(([family]) => family === name));

/** A section of less than this part of the file is drawn with its small neighbors, if the file has many sections. */
const SMALL = 1 / 2000, MANY = 2000;

/** The spans of the section map. */
export function spansOf(sections, size) {
  const least = sections.length > MANY ? size * SMALL : 0;
  const spans = [];
  let several; // the span of small sections that may grow
  for (const { kind, name = null, path, range: [start, end] } of sections) {
    const span = { family: familyOf({ kind, name }), kind, name, number: 1, depth: path === "" ? 1 : path.split("/").length + 1, start, length: end - start };
    const isSmall = span.length < least;
    if (isSmall && several?.path === path) {
      Object.assign(several.span, { family: SEVERAL, kind: "several", name: null, number: several.span.number + 1, length: end - several.span.start });
    } else {
      spans.push(span);
    }
    if (!isSmall) several = undefined;
    else if (several?.path !== path) several = { path, span };
  }
  return spans;
}

/** The family of a section of the document: by its kind, or by the name of a custom section. */
function familyOf({ kind, name }) {
  if (kind !== "custom") return kinds.get(kind) ?? UNKNOWN;
  return names.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1] ?? UNKNOWN;
}
