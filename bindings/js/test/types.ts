// Compiled by TypeScript, not run: the types of the package.
import { check, edit, FIELDS, gateStream, inventory, read, scanStream, sections, SectileError, strip } from "sectile";
import type { Answer, Field, FindingCode, ShowDocument } from "sectile";

async function use(blob: Blob, bytes: Uint8Array): Promise<void> {
  const document: Answer<ShowDocument> = await read(blob, { packages: "all" });
  const codes: FindingCode[] = document.findings.map((finding) => finding.code);
  const ends: number[] = (await sections(new URL("https://example.org/a.wasm"))).sections.map((section) => section.range[1]);
  const accepted: boolean = (await check(bytes, { policy: 'refuse = "warning"', day: "2026-12-31" })).accepted;
  const names: string[] = (await inventory("a.wasm")).map((one) => one.name);
  const edited = await edit(bytes.buffer as ArrayBuffer, { set: { licenses: "MIT" }, unset: ["name"], put: { note: "x" } });
  await edited.write("b.wasm");
  const result: Uint8Array = await (await strip(blob, { names: true, keep: ["note"] })).bytes();
  const gate = gateStream({ maxBytes: 1 << 20, declaredLength: 8 });
  const passed: ReadableStream<Uint8Array> = blob.stream().pipeThrough(gate).pipeThrough(scanStream());
  const field: Field = FIELDS[0]!;
  if (gate instanceof SectileError) gate.kind satisfies string;
  // @ts-expect-error: not a field
  await edit(bytes, { set: { licences: "MIT" } });
  // @ts-expect-error: not a source
  await read(3);
  void [codes, ends, accepted, names, result, passed, field];
}
void use;
