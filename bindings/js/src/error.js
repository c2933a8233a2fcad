/** An input or an argument that is not valid, or a source that cannot be read. */
export class SectileError extends Error {
  constructor({ kind, message, offset, path, line, column, code }, { cause, partial } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SectileError";
    this.kind = kind;
    this.offset = offset;
    this.path = path;
    this.line = line;
    this.column = column;
    this.code = code;
    this.partial = partial;
  }
}
