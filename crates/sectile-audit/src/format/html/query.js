// ---- Queries: words and `field:value` terms, which all must match; `-` before a term negates it

const ALIASES = new Map([["license", "licenses"], ["file", "path"], ["producer", "tool"], ["finding", "code"], ["kinds", "kind"]]);
const UNITS = new Map([["", 1], ["b", 1], ["k", 1e3], ["kb", 1e3], ["kib", 1024], ["m", 1e6], ["mb", 1e6], ["mib", 1024 ** 2],
  ["g", 1e9], ["gb", 1e9], ["gib", 1024 ** 3]]);
const FIELDS = ["verdict", "severity", "code", "license", "kind", "path", "size", "name", "tool", "section", "rule", "digest", "is", "row"];

/** Splits a query at spaces that are not in quotes. A term is its field, its value and whether it is negated. */
function termsOf(query) {
  const terms = [];
  for (const [, minus, field, quoted, bare] of query.matchAll(/(-?)(?:([a-z][a-z_-]*):)?(?:"([^"]*)"?|(\S*))(?:\s+|$)/giu)) {
    const value = (quoted ?? bare).toLowerCase();
    if (field === undefined && value === "") continue;
    terms.push({ field: (field ?? "").toLowerCase(), value, negated: minus === "-" });
  }
  return terms;
}

/** A test of a number of bytes, such as `>1MB`; undefined if the text is not one. */
function sizeTest(text) {
  const [, operator, number, unit] = /^(>=|<=|>|<|=)?([0-9]+(?:\.[0-9]+)?)([a-z]*)$/u.exec(text) ?? [];
  if (number === undefined || !UNITS.has(unit)) return undefined;
  const bound = Number(number) * UNITS.get(unit);
  return { ">": (size) => size > bound, "<": (size) => size < bound, ">=": (size) => size >= bound, "<=": (size) => size <= bound }[operator]
    ?? ((size) => size === bound);
}

const known = new Map(); // earlier terms: the texts and the rows that match
const MOST_KNOWN = 24;

/** The rows with a text that matches, one byte each. */
function rowsWith(isMeant) {
  const rows = new Uint8Array(lines.length);
  for (let place = 0, at = 0; place < rows.length; place++) {
    const end = rowEnds[place];
    while (at < end && isMeant[textsOfRows[at]] === 0) at++;
    rows[place] = at < end ? 1 : 0;
    at = end;
  }
  return rows;
}

/** The rows with a value that contains a text; of one field, or of any. A longer text is only in values that contain its parts. */
function rowsWithValue(field, value) {
  const key = `${field}:${value}`;
  let entry = known.get(key);
  if (entry === undefined) {
    const wider = [...known.values()].filter((other) => (other.field === "" || other.field === field) && value.includes(other.value));
    const within = wider.sort((a, b) => b.value.length - a.value.length)[0]?.isMeant;
    const isMeant = new Uint8Array(texts.length), only = field === "" ? undefined : fieldNumbers.get(field) ?? -1;
    for (let number = 0; number < isMeant.length; number++) {
      if (within !== undefined && within[number] === 0) continue;
      const of = textFields[number];
      if ((only === undefined || of === only) && texts[number].includes(value, fieldNames[of].length + 1)) isMeant[number] = 1;
    }
    entry = { field, value, isMeant, rows: rowsWith(isMeant) };
  }
  known.delete(key);
  known.set(key, entry); // as the newest
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value);
  return entry.rows;
}

/** The rows with exactly this `field:value`. One that no row has is the beginning of one that the summary has cut. */
function rowsWithText(text) {
  const colon = text.indexOf(":");
  if (!numbers.has(text)) return colon < 0 ? rowsWithValue("", text) : rowsWithValue(text.slice(0, colon), text.slice(colon + 1));
  const isMeant = new Uint8Array(texts.length);
  isMeant[numbers.get(text)] = 1;
  return rowsWith(isMeant);
}

const either = (one, other) => one.map((is, place) => is | other[place]);
const negate = (rows) => rows.map((is) => 1 - is);

/** The rows that each term matches, and notices about terms that are not what they look like. */
function answer(query) {
  const notices = [], all = [];
  for (const { field, value, negated } of termsOf(query)) {
    const name = ALIASES.get(field) ?? field;
    let rows;
    if (name === "") {
      rows = rowsWithValue("", value);
    } else if (name === "size") {
      const test = sizeTest(value);
      if (test === undefined) {
        if (value !== "") notices.push(`size:${value} is not a size such as size:>1MB, and is ignored`);
        continue;
      }
      rows = Uint8Array.from(columns.size, (size) => size >= 0 && test(size) ? 1 : 0);
    } else if (FIELDS.includes(field) || ALIASES.has(field) || tables.fields.includes(name)) {
      rows = rowsWithValue(name, value);
      if (name === "licenses" && value === "none") rows = either(rows, rowsWithText("is:unlicensed"));
    } else {
      rows = rowsWithValue("", `${field}:${value}`);
      // URLs and digests look like fields.
      if (!value.startsWith("//") && !field.startsWith("sha")) notices.push(`${field} is not a field, so ${field}:${value} is searched as text`);
    }
    all.push(negated ? negate(rows) : rows);
  }
  return { all, notices };
}
