// All input reaches the page as text: nodes are created here and their texts are set. No string contains markup.

// site/build.mjs uses this file and map.js too: they must not use the rows.

const byId = (id) => document.getElementById(id);
const SEVERITIES = ["note", "warning", "error"];

// ---- Texts

const DECEPTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const EVERY_DECEPTIVE = new RegExp(DECEPTIVE.source, "gu");
const NAMED = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/** The escape of a character that could deceive: the same as the command shows. */
function escapeOf(character) {
  const code = character.codePointAt(0);
  return NAMED.get(character) ?? (code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`);
}

/** A text whose deceptive characters are escaped. */
const visible = (text) => DECEPTIVE.test(text) ? text.replace(EVERY_DECEPTIVE, escapeOf) : text;

/** Appends a text; escapes are marked. */
function show(parent, text) {
  let from = 0;
  for (const match of text.matchAll(EVERY_DECEPTIVE)) {
    parent.append(text.slice(from, match.index), make("span", { class: "escape" }, escapeOf(match[0])));
    from = match.index + match[0].length;
  }
  parent.append(text.slice(from));
  return parent;
}

function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

const shown = (name, attributes, text) => show(make(name, attributes), text);
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const hex = (number) => `0x${BigInt(number).toString(16)}`;

function bytes(number) {
  let amount = Number(number);
  if (amount < 1024) return `${amount} B`;
  for (const unit of ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]) {
    amount /= 1024;
    if (amount < 1023.95 || unit === "EiB") return `${amount.toFixed(1)} ${unit}`;
  }
}

function share(part, of) {
  const percent = Number(of) > 0 ? Number(part) / Number(of) * 100 : 0;
  return percent > 0 && percent < 0.05 ? "< 0.1 %" : `${percent.toFixed(1)} %`;
}

// ---- Parts of a page

function panel(title, ...children) {
  return make("section", { class: "panel" }, make("h2", {}, title), ...children);
}

function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
