import type { CheckDocument, EditDocument, FindingCode, SectionsDocument, ShowDocument } from "./documents.js";
import type { Field } from "./tables.js";

export type * from "./documents.js";
export { FIELDS, FINDING_CODES } from "./tables.js";
export type { Field } from "./tables.js";

/** A document, with its text: byte for byte that of the command with `--json`. */
export type Answer<Document> = Document & { readonly json: string };

/** Bytes, a `Blob` or `File`, an `http:` or `https:` URL, or a path in Node, Deno and Bun. */
export type Input = string | URL | Blob | ArrayBuffer | ArrayBufferView;

/** `all`: also packages that the data names. */
export type Packages = "declared" | "all";

/** Options for every source. */
export interface SourceOptions {
  /** Name of the source in the document. */
  name?: string;
  /** For URLs: the function that makes requests. */
  fetch?: typeof globalThis.fetch;
  /** For URLs: headers of the requests. */
  headers?: HeadersInit;
  /** For URLs: cancels the requests. */
  signal?: AbortSignal;
  /** For URLs: most bytes to read if the server ignores ranges; 512 MiB by default. */
  maxWhole?: number;
}

export interface ReadOptions extends SourceOptions {
  packages?: Packages;
  /** Reads imports and exports, too. */
  interface?: boolean;
}

export interface CheckOptions extends SourceOptions {
  /** Text of a policy; the default policy without it. */
  policy?: string;
  /** Name of the policy in messages. */
  policyName?: string;
  packages?: Packages;
  /** The day that exceptions expire by, such as `2026-12-31`; today by default. */
  day?: string;
  /** Locations of the source, for exceptions; its name by default. */
  locations?: string[];
}

/** Reads the metadata of a source. A value that is not valid is a finding. */
export function read(input: Input, options?: ReadOptions): Promise<Answer<ShowDocument>>;

/** Lists every section of a source. */
export function sections(input: Input, options?: SourceOptions): Promise<Answer<SectionsDocument>>;

/** Judges a source by a policy. A source that is malformed or truncated is not accepted. */
export function check(input: Input, options?: CheckOptions): Promise<Answer<CheckDocument>>;

/** Lists the packages that a source declares, and those that its data names. */
export function inventory(input: Input, options?: SourceOptions & { recovered?: boolean }): Promise<ShowDocument["packages"]>;

/** Changes of an item. */
export interface Changes {
  /** Path of the item, such as `3/0`; the root by default. */
  item?: string;
  set?: Partial<Record<Field, string>>;
  unset?: Array<Field | "name" | "producers">;
  name?: string;
  /** Field, name and version. */
  producers?: Array<[field: string, name: string, version: string]>;
  dropProducers?: Array<[field: string, name: string]>;
  /** Data of custom sections by name. */
  put?: Record<string, string | ArrayBuffer | ArrayBufferView>;
  /** Patterns of the names of sections to remove. */
  remove?: string[];
  /** Writes values that are not valid. */
  allowInvalid?: boolean;
  /** Edits objects that are yet to be linked. */
  force?: boolean;
}

export interface StripOptions extends SourceOptions {
  /** Patterns of the names of sections to keep. */
  keep?: string[];
  /** Removes function and local names, too. */
  names?: boolean;
  /** Removes every custom section that the binary does not need. */
  all?: boolean;
  /** Path of the only item to change. */
  item?: string;
  force?: boolean;
}

/** A range of the source that is kept, or bytes that are inserted. */
export type Piece = { keep: [start: number, end: number]; insert?: undefined } | { insert: Uint8Array; keep?: undefined };

/** A planned edit. The source stays open until the result was read, or `close` is called. */
export interface Edited {
  readonly document: Answer<EditDocument>;
  readonly pieces: readonly Piece[];
  /** Length of the result in bytes. */
  readonly size: number;
  /** Whether the result differs from the source. */
  readonly isChanged: boolean;
  bytes(): Promise<Uint8Array>;
  stream(): ReadableStream<Uint8Array>;
  /** Writes the result to a file, which is replaced at once; by default, to the file that was edited. */
  write(path?: string | URL): Promise<void>;
  close(): void;
}

/** Plans an edit of a source, which keeps all other bytes. A repeated edit changes nothing. */
export function edit(input: Input, changes: Changes, options?: SourceOptions): Promise<Edited>;

/** Plans the removal of debug sections from a source and its nested items. */
export function strip(input: Input, options?: StripOptions): Promise<Edited>;

/** Streams for `pipeThrough`, and the document at the end. */
export interface InspectedStream<Document> {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly result: Promise<Answer<Document>>;
}

/** Passes bytes on while their metadata is read. Bytes that are not valid pass, too; then `result` is rejected. */
export function scanStream(options?: { name?: string; packages?: Packages }): InspectedStream<ShowDocument>;

export interface GateOptions extends Omit<CheckOptions, keyof SourceOptions> {
  name?: string;
  /** The declared length, such as the value of `Content-Length`. Another length is refused. */
  declaredLength?: number;
  /** Refuses uploads of more bytes. */
  maxBytes?: number;
  /** The claimed digest `sha256:…`, for exceptions. */
  digest?: string;
}

/**
 * Passes an upload on while a policy judges it. When its bytes allow a refusal, the streams and
 * `result` fail with it. The readable stream closes only if the upload is accepted.
 */
export function gateStream(options?: GateOptions): InspectedStream<CheckDocument>;

/** An input or an argument that is not valid, or a source that cannot be read. */
export class SectileError extends Error {
  readonly name: "SectileError";
  /** `not-wasm`, `malformed`, `truncated`, `limit`, `refused`, `read`, `argument`, …: see the README. */
  readonly kind: string;
  /** Absolute byte offset of the fault. */
  readonly offset?: number;
  /** Path of the item with the fault. */
  readonly path?: string;
  /** Line and column in a policy. */
  readonly line?: number;
  readonly column?: number;
  /** The finding that a policy refuses. */
  readonly code?: FindingCode;
  /** The document of everything before the fault. */
  readonly partial?: { readonly json: string };
}
