// Items of a document, as one list.

/** The items in the order of the file, the root first. */
export function itemsOf(document) {
  const list = [];
  const open = document.item ? [document.item] : [];
  while (open.length > 0) {
    const item = open.pop();
    list.push(item);
    open.push(...[...item.items].reverse());
  }
  return list;
}

/** The text of a value; a value that is not UTF-8 is Base64 in the document. */
export function valueText(value) {
  return typeof value === "string" ? value : value?.base64 === undefined ? undefined : `not UTF-8, in Base64: ${value.base64}`;
}

/** The name of an item, with its path. */
export function itemLabel(item) {
  const name = valueText(item.name ?? undefined);
  return `${item.path === "" ? "" : `${item.path} `}${item.kind}${name === undefined ? "" : ` ${name}`}`;
}
