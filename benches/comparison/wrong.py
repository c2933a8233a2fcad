"""Odd inputs: gives the same small input to another tool and to Sectile, and records the results.

A cell is an observation, not a judgment: the exit status, the values that are shown, or the sections of the output as an
independent reader finds them.
"""

import json
import sys
from dataclasses import dataclass
from typing import Callable

from . import inputs, processes, tools
from .inputs import component, custom, leb128, module, nested, prefixed, producers, section

ABSENT = "none of these sections"


@dataclass
class Case:
    """An input, the commands of both sides, and the inspection of their results."""

    what: str
    binary: bytes
    peer: str
    theirs: list  # IN and OUT are placeholders of files
    ours: list
    inspect: Callable  # (answer, binary, output or None) -> text
    before: Callable = processes.no_preparation
    times: int = 1


IN, OUT = "IN", "OUT"


def reading(what, binary, *values, peer="wasm-tools", theirs=("metadata", "show", "--json", IN)):
    return Case(what, binary, peer, [*theirs], ["show", "--json", IN], shows(values))


def editing(what, binary, names, theirs, ours, peer="wasm-tools"):
    return Case(what, binary, peer, [*theirs], [*ours, "--no-sync", "-o", OUT], leaves(names))


def setting(what, binary, names, *options):
    """Returns an edit with the same options on both sides."""
    return editing(what, binary, names, ["metadata", "add", IN, *options, "-o", OUT], ["set", IN, *options])


def cases(registry):
    yield from cases_of_reading()
    yield from cases_of_editing()
    if registry:
        yield from cases_of_pushing(registry)


AUTHORS = custom("authors", "me")
WITH_A_SLASH = custom("licenses", "MIT/Apache-2.0")
TYPES, FUNCTIONS = section(1, b"\x01\x60\0\0"), section(3, b"\x01\0")
TWO_PRODUCERS = [producers(("sdk", [(name, "1")])) for name in ("first", "second")]
TRY_TABLE = module(TYPES, FUNCTIONS, section(10, b"\x01" + prefixed(b"\0\x1f\x40\0\x0b\x0b")), AUTHORS)


def cases_of_reading():
    two = module(custom("authors", "first"), custom("authors", "second"))
    yield reading("two `authors`", two, "first", "second")
    for what, bad in [
        ("`licenses` = `MIT/Apache-2.0`", WITH_A_SLASH),
        ("`description` not UTF-8", custom("description", b"caf\xe9")),
        ("`homepage` = `example.com`", custom("homepage", "example.com")),
        ("`source` = `git@github.com:a/b.git`", custom("source", "git@github.com:a/b.git")),
        ("a corrupt `.dep-v0`", custom(".dep-v0", "garbage")),
        ("trailing bytes in `producers`", custom("producers", TWO_PRODUCERS[0] + b"\0")),
        ("an unknown field in `producers`", custom("producers", producers(("linked-by", [("ld", "1")])))),
    ]:
        yield reading(f"{what}, with `authors` = `me`", module(AUTHORS, bad), "me")
    inside = component(AUTHORS, nested(module(WITH_A_SLASH)))
    yield reading("`licenses` = `MIT/Apache-2.0`, nested in a component", inside, "me")
    script = "javascript:alert(1)"
    yield reading(f"`homepage` = `{script}`", module(custom("homepage", script)), script)
    two = module(*(custom("producers", data) for data in TWO_PRODUCERS))
    yield reading("two `producers` sections", two, "first", "second")
    twice = producers(("sdk", [("first", "1")]), ("sdk", [("second", "1")]))
    yield reading("two `sdk` fields in `producers`", module(custom("producers", twice)), "first", "second")
    broken = module(TYPES, FUNCTIONS, section(10, b"\x01\x7f"), AUTHORS)
    yield reading("a malformed function body", broken, "me")
    yield reading("`registry-metadata`", component(custom("registry-metadata", '{"license":"MIT"}')), "MIT")
    hostile = module(custom("description", "\x1b]0;title\x07"))
    yield Case("ESC in `description`, shown to people", hostile, "wasm-tools",
               ["metadata", "show", IN], ["show", IN], shows_unescaped(b"\x1b"))
    listing = inputs.small("rust-auditable.component.wasm")
    yield reading("dependencies of a module in a component", listing, "adler", peer="rust-audit-info", theirs=[IN])
    for what, binary in [("`try_table` in a function body", TRY_TABLE), ("a component", component(AUTHORS))]:
        yield reading(what, binary, "authors", peer="wasm-objdump", theirs=["-h", IN])


def cases_of_editing():
    old, odd = module(custom("authors", "old"), custom("x", "")), module(WITH_A_SLASH)
    yield setting("set `authors` to `new` where it is `old`", old, ["authors"], "--authors", "new")
    yield setting("set `licenses` to `MIT` where it is `MIT/Apache-2.0`", odd, ["licenses"], "--licenses", "MIT")
    yield setting("set `revision` where `licenses` is `MIT/Apache-2.0`", odd, ["licenses", "revision"], "--revision", "r1")
    for field, value in [("licenses", "GPL-3.0"), ("source", "git@github.com:a/b.git"),
                         ("homepage", "javascript:alert(1)")]:
        yield setting(f"set `{field}` to `{value}`", module(), [field], f"--{field}", value)
    as_written = module(custom("homepage", "HTTPS://Example.com:443/a/../b"))
    yield setting("set `revision` where `homepage` is not normalized", as_written, ["homepage"], "--revision", "r1")
    yield setting("set `revision` of a module whose function names are out of order",
                  inputs.small("adapter-yosys.wasm"), ["revision"], "--revision", "r1")
    named = module(custom("name", section(0, prefixed("app")) + section(1, leb128(1) + leb128(0) + prefixed("main"))))
    yield editing("clear the name", named, ["name"],
                  ["metadata", "add", IN, "--clear-name", "-o", OUT], ["unset", IN, "name"])
    two = module(*(custom("name", section(0, prefixed(name))) for name in ("first", "second")))
    yield setting("set the name where there are two `name` sections", two, ["name"], "--name", "third")
    padded = inputs.MODULE_PREAMBLE + section(1, b"\0", 5) + section(3, b"\0", 5) + custom("x", "y")
    yield editing("an empty edit of a module with padded sizes", padded, [],
                  ["metadata", "add", IN, "-o", OUT], ["unset", IN, "licenses"])
    signed = module(AUTHORS, custom("signature", "of all that"))
    yield setting("set `revision` of a signed module", signed, ["signature"], "--revision", "r1")

    sections = {"dylink": bytes(5), "authors": b"me", "licenses": b"MIT", "producers": TWO_PRODUCERS[0], ".debug_str": b"s\0"}
    annotated = module(*(custom(name, data) for name, data in sections.items()))
    for peer, theirs in [("wasm-tools", ["strip", IN, "-o", OUT]), ("wasm-strip", [IN, "-o", OUT]),
                         ("llvm-objcopy", ["--strip-debug", IN, OUT])]:
        yield editing("strip an annotated module with a `dylink` section", annotated, list(sections),
                      theirs, ["strip", IN], peer)
    yield editing("strip a module with `try_table`", TRY_TABLE, ["authors"], [IN, "-o", OUT], ["strip", IN], "wasm-strip")
    named = component(custom("component-name", section(0, prefixed("app"))), custom("name", section(0, prefixed("x"))))
    yield editing("remove `name` where `component-name` exists", named, ["component-name", "name"],
                  ["strip", "-d", "name", IN, "-o", OUT], ["remove", IN, "name"])
    plain = module(TYPES, AUTHORS)
    for what, binary, verb, name in [("add `licenses`", plain, "add", "licenses"),
                                     ("update `authors`", plain, "update", "authors"),
                                     ("add `licenses` to a component", component(AUTHORS), "add", "licenses")]:
        yield editing(what, binary, [name], [f"--{verb}-section={name}=DATA", IN, OUT],
                      ["set", IN, f"--{name}", "MIT"], "llvm-objcopy")


def cases_of_pushing(registry):
    reference = f"{registry.address}/{REPOSITORY}:1"
    theirs, ours = ["oci", "push", "--insecure", registry.address, reference, IN], ["oci", "push", IN, reference]

    def pushing(what, binary, inspect, times=1):
        return Case(what, binary, "wkg", theirs, ours, inspect(registry), registry.empty, times)

    yield pushing("push a module", module(AUTHORS), shows_config)
    yield pushing("push a component twice", component(AUTHORS), counts_manifests, times=2)
    fields = [custom("authors", "me"), custom("licenses", "MIT"), custom("revision", "r1")]
    yield pushing("push a component with `authors`, `licenses` and `revision`", component(*fields), shows_annotations)


def run(sectile, scratch, registry):
    """Returns a row for each case."""
    rows = []
    for case in cases(registry):
        theirs = tools.missing(case.peer)
        if tools.is_there(case.peer):
            theirs = did(case, [case.peer, *case.theirs], scratch)
        ours = did(case, [sectile, *case.ours], scratch)
        print(f"  {case.what}: {case.peer}: {theirs}; Sectile: {ours}", file=sys.stderr)
        rows.append({"what": case.what, "peer": case.peer, "theirs": theirs, "ours": ours})
    return rows


def did(case, command, scratch):
    names = {IN: "input.wasm", OUT: "output.wasm"}
    (scratch / names[IN]).write_bytes(case.binary)
    (scratch / "data").write_text("MIT")
    (scratch / names[OUT]).unlink(missing_ok=True)
    words = [names.get(word, word).replace("=DATA", "=data") for word in command]
    case.before()
    for _ in range(case.times):
        answered = processes.answer(words, cwd=scratch)
    written = scratch / names[OUT]
    return case.inspect(answered, case.binary, written.read_bytes() if written.exists() else None)


def shows(values):
    """Inspects which of the values are shown, and the findings."""
    def inspect(answered, _, __):
        said = answered.stdout.decode(errors="replace")
        there = [value for value in values if value in said]
        gone = [value for value in values if value not in there]
        text = ended(answered)
        text += "; shows " + (quoted(there) if there else "nothing")
        if there and gone:
            text += f", not {quoted(gone)}"
        return text + found(said)
    return inspect


def found(said):
    """Returns the codes of the findings in a JSON report."""
    try:
        findings = json.loads(said).get("findings", [])
    except (ValueError, AttributeError):
        return ""
    codes = [f"{finding['severity']} `{finding['code']}`" for finding in findings]
    return "".join(f"; {code}" + (f" × {codes.count(code)}" if codes.count(code) > 1 else "") for code in dict.fromkeys(codes))


def leaves(names):
    """Inspects the contents of the sections of these names, and the widths of size fields."""
    def inspect(answered, before, after):
        text = ended(answered)
        if answered.returncode == 0 and answered.stderr.strip():
            text += f"; prints {first(answered.stderr)}"
        if answered.returncode != 0:
            return text
        if after is None:
            return f"{text}; nothing written"
        if after == before:
            return f"{text}; unchanged"
        contents = [f"`{name}`{holds(name, data)}" for _, name, data, _ in inputs.sections_of(after) if name in names]
        if names:
            text += "; the result has " + (", ".join(contents) or ABSENT)
        wider = padding(after) - padding(before)
        if wider:
            text += f"; size fields {abs(wider)} bytes {'wider' if wider > 0 else 'narrower'}"
        return text
    return inspect


def padding(binary):
    """Returns the padding bytes of all size fields, except those of custom sections, whose number changes."""
    return sum(width - len(leb128(len(data))) for number, _, data, width in inputs.sections_of(binary) if number)


def holds(name, data):
    """Returns the data of a section as text for people."""
    if name in ("name", "component-name"):
        kinds, at = [], 0
        while at < len(data):
            kind, (size, start) = data[at], inputs.number_at(data, at + 1)
            kinds.append(f" {kind}" + (f" (`{data[start + 1:start + size].decode()}`)" if kind == 0 else ""))
            at = start + size
        return (" with subsections" + ",".join(kinds)) if kinds else " without subsections"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return f" = `{text}`" if text.isprintable() and len(text) < 40 else ""


def shows_unescaped(bad):
    """Inspects whether bytes reach the terminal unescaped."""
    def inspect(answered, _, __):
        return ended(answered) + ("; it reaches the terminal" if bad in answered.stdout else "; it does not reach the terminal")
    return inspect


REPOSITORY = "app"


def shows_config(registry):
    """Inspects the pushed config."""
    def inspect(answered, _, __):
        text = ended(answered)
        for manifest in registry.manifests(REPOSITORY).values():
            config = json.loads(registry.blob(manifest["config"]["digest"]))
            text += f"; config: `os` = `{config['os']}`, " + ("with" if config.get("component") else "without")
            text += " `component`"
        return text
    return inspect


def counts_manifests(registry):
    def inspect(answered, _, __):
        return f"{ended(answered)}; different manifests: {len(registry.manifests(REPOSITORY))}"
    return inspect


def shows_annotations(registry):
    def inspect(answered, _, __):
        keys = [key for manifest in registry.manifests(REPOSITORY).values() for key in manifest.get("annotations") or {}]
        return f"{ended(answered)}; annotations: " + (quoted(sorted(keys)) or "none")
    return inspect


def ended(answered):
    if answered.returncode == 0:
        return "exit 0"
    if processes.is_lacking(first(answered.stderr)):
        return processes.LACKING
    how = f"exit {answered.returncode}" if answered.returncode > 0 else f"killed by signal {-answered.returncode}"
    return f"{how}: {first(answered.stderr or answered.stdout)}"


def first(said):
    """Returns the first line of a message, with the cause if a later line has it."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    line = " ".join(lines[:1]) or "no message"
    causes = [line.removeprefix("0: ") for line in lines if line.startswith("0: ")]
    return code(line + (f": {causes[0]}" if causes else ""))


def code(text):
    return "`" + text.replace("`", "'") + "`"


def quoted(values):
    return ", ".join(f"`{value}`" for value in values)
