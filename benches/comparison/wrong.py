"""What peers get wrong: the same small input for the peer and for Sectile, and what each then says and leaves.

Nothing here is a verdict that somebody wrote down: a cell says how the command ended, which of the values in question it
shows, or which sections stand in what it wrote, by a reader that is neither's.
"""

import json
import sys
from dataclasses import dataclass
from typing import Callable

from . import inputs, processes, tools
from .inputs import component, custom, leb128, module, nested, prefixed, producers, section

ABSENT = "nothing of them"


@dataclass
class Case:
    """An input, what each side does with it, and what is looked at afterwards."""

    what: str
    binary: bytes
    peer: str
    theirs: list  # IN and OUT stand for files
    ours: list
    look: Callable  # of (answer, binary, what was written or None): a text


IN, OUT = "IN", "OUT"


def reading(what, binary, *values, peer="wasm-tools", theirs=("metadata", "show", "--json", IN)):
    return Case(what, binary, peer, [*theirs], ["show", "--json", IN], shows(values))


def editing(what, binary, names, theirs, ours, peer="wasm-tools"):
    return Case(what, binary, peer, [*theirs], [*ours, "--no-sync", "-o", OUT], leaves(names))


def setting(what, binary, names, *options):
    """Both have the same options."""
    return editing(what, binary, names, ["metadata", "add", IN, *options, "-o", OUT], ["set", IN, *options])


def cases():
    authors = custom("authors", "me")
    slash = custom("licenses", "MIT/Apache-2.0")
    names = custom("name", section(0, prefixed("app")) + section(1, leb128(1) + leb128(0) + prefixed("main")))
    types, functions = section(1, b"\x01\x60\0\0"), section(3, b"\x01\0")
    yield reading("two `authors`", module(custom("authors", "first"), custom("authors", "second")), "first", "second")
    for what, bad in [
        ("`licenses` = `MIT/Apache-2.0`", slash),
        ("`description` not UTF-8", custom("description", b"caf\xe9")),
        ("`homepage` = `example.com`", custom("homepage", "example.com")),
        ("`source` = `git@github.com:a/b.git`", custom("source", "git@github.com:a/b.git")),
        ("a corrupt `.dep-v0`", custom(".dep-v0", "garbage")),
        ("trailing bytes in `producers`", custom("producers", producers(("sdk", [("kit", "1")])) + b"\0")),
        ("an unknown field in `producers`", custom("producers", producers(("linked-by", [("ld", "1")])))),
    ]:
        yield reading(f"{what}, beside `authors` = `me`", module(authors, bad), "me")
    yield reading("the first of these, nested in a component", component(authors, nested(module(slash))), "me")
    yield reading("`homepage` = `javascript:alert(1)`", module(custom("homepage", "javascript:alert(1)")), "javascript:alert(1)")
    two = [producers(("sdk", [(name, "1")])) for name in ("first", "second")]
    yield reading("two `producers` sections", module(*(custom("producers", data) for data in two)), "first", "second")
    twice = producers(("sdk", [("first", "1")]), ("sdk", [("second", "1")]))
    yield reading("two `sdk` fields in `producers`", module(custom("producers", twice)), "first", "second")
    yield reading("a malformed function body", module(types, functions, section(10, b"\x01\x7f"), authors), "me")
    retired = custom("registry-metadata", '{"license":"MIT"}')
    yield reading("`registry-metadata`", component(retired), "MIT")
    hostile = module(custom("description", "\x1b]0;title\x07"))
    yield Case("ESC in `description`, shown to people", hostile, "wasm-tools", ["metadata", "show", IN], ["show", IN], reaches(b"\x1b"))
    listing = inputs.small("rust-auditable.component.wasm")
    yield reading("dependencies of a module in a component", listing, "adler", peer="rust-audit-info", theirs=(IN,))
    newer = module(types, functions, section(10, b"\x01" + prefixed(b"\0\x1f\x40\0\x0b\x0b")), authors)
    headers = dict(peer="wasm-objdump", theirs=("-h", IN))
    yield reading("`try_table` in a function body", newer, "authors", **headers)
    yield reading("a component", component(authors), "authors", **headers)

    old = module(custom("authors", "old"), custom("x", ""))
    yield setting("set `authors` to `new` where it is `old`", old, ["authors"], "--authors", "new")
    yield setting("set `licenses` to `MIT` where it is `MIT/Apache-2.0`", module(slash), ["licenses"], "--licenses", "MIT")
    yield setting("set `revision` beside that", module(slash), ["licenses", "revision"], "--revision", "r1")
    yield setting("set `licenses` to `GPL-3.0`, an identifier that is deprecated", module(), ["licenses"], "--licenses", "GPL-3.0")
    yield setting("set `source` to `git@github.com:a/b.git`", module(), ["source"], "--source", "git@github.com:a/b.git")
    yield setting("set `homepage` to `javascript:alert(1)`", module(), ["homepage"], "--homepage", "javascript:alert(1)")
    as_written = module(custom("homepage", "HTTPS://Example.com:443/a/../b"))
    yield setting("set `revision` beside a `homepage` that is written oddly", as_written, ["homepage"], "--revision", "r1")
    yield setting("set `revision` of a module whose function names are out of order", inputs.small("adapter-yosys.wasm"), ["revision"], "--revision", "r1")
    yield editing("clear the name", module(names), ["name"], ["metadata", "add", IN, "--clear-name", "-o", OUT], ["unset", IN, "name"])
    both = module(*(custom("name", section(0, prefixed(name))) for name in ("first", "second")))
    yield setting("set the name where there are two `name` sections", both, ["name"], "--name", "third")
    padded = inputs.MODULE_PREAMBLE + section(1, b"\0", 5) + section(3, b"\0", 5) + custom("x", "y")
    yield editing("nothing at all, of a module whose sizes are padded", padded, [], ["metadata", "add", IN, "-o", OUT], ["unset", IN, "licenses"])
    signed = module(authors, custom("signature", "of all that"))
    yield setting("set `revision` of a signed module", signed, ["signature"], "--revision", "r1")

    annotated = module(custom("dylink", bytes(5)), types, authors, custom("licenses", "MIT"), custom("producers", two[0]), custom(".debug_info", "…"))
    watched = ["dylink", "authors", "licenses", "producers", ".debug_info"]
    for peer, theirs in [("wasm-tools", ["strip", IN, "-o", OUT]), ("wasm-strip", [IN, "-o", OUT]), ("llvm-objcopy", ["--strip-debug", IN, OUT])]:
        yield editing("strip an annotated module that is loaded dynamically", annotated, watched, theirs, ["strip", IN], peer)
    named = component(custom("component-name", section(0, prefixed("app"))), custom("name", "x"))
    yield editing("remove `name`, beside `component-name`", named, ["component-name", "name"], ["strip", "-d", "name", IN, "-o", OUT], ["remove", IN, "name"])
    plain = module(types, authors)
    objcopy = dict(peer="llvm-objcopy")
    yield editing("add a section", plain, ["licenses"], ["--add-section=licenses=DATA", IN, OUT], ["set", IN, "--licenses", "MIT"], **objcopy)
    yield editing("update a section", plain, ["authors"], ["--update-section=authors=DATA", IN, OUT], ["set", IN, "--authors", "MIT"], **objcopy)
    yield editing("add a section to a component", component(authors), ["licenses"], ["--add-section=licenses=DATA", IN, OUT], ["set", IN, "--licenses", "MIT"], **objcopy)
    yield editing("strip a module with `try_table`", newer, ["authors"], [IN, "-o", OUT], ["strip", IN], "wasm-strip")


def run(sectile, scratch):
    """Rows of what each did."""
    rows = []
    for case in cases():
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
    answered = processes.answer(words, cwd=scratch)
    written = scratch / names[OUT]
    return case.look(answered, case.binary, written.read_bytes() if written.exists() else None)


def shows(values):
    """Which of the values are shown, and what Sectile finds."""
    def look(answered, _, __):
        said = answered.stdout.decode(errors="replace")
        there = [value for value in values if value in said]
        gone = [value for value in values if value not in there]
        text = ended(answered)
        text += "; shows " + (quoted(there) if there else "nothing")
        if there and gone:
            text += f", not {quoted(gone)}"
        return text + found(said)
    return look


def found(said):
    """The codes of the findings, where there are any."""
    try:
        findings = json.loads(said).get("findings", [])
    except (ValueError, AttributeError):
        return ""
    return "".join(f"; {finding['severity']} `{finding['code']}`" for finding in findings)


def leaves(names):
    """What stands in the sections of these names afterwards, and how the length has changed."""
    def look(answered, before, after):
        text = ended(answered)
        if answered.returncode == 0 and answered.stderr.strip():
            text += f"; says {first(answered.stderr)}"
        if answered.returncode != 0:
            return text
        if after is None:
            return f"{text}; nothing written"
        if after == before:
            return f"{text}; byte for byte what it was"
        stands = [f"`{name}`{holds(name, data)}" for _, name, data, _ in inputs.sections_of(after) if name in names]
        if names:
            text += "; then stands there: " + (", ".join(stands) or ABSENT)
        widths = [width - len(leb128(len(data))) for number, name, data, width in inputs.sections_of(after) if number]
        widths_before = [width - len(leb128(len(data))) for number, name, data, width in inputs.sections_of(before) if number]
        if sum(widths) != sum(widths_before):
            text += f"; size fields {abs(sum(widths) - sum(widths_before))} bytes {'wider' if sum(widths) > sum(widths_before) else 'narrower'}"
        return text
    return look


def holds(name, data):
    """The data of a section, as people read it."""
    if name in ("name", "component-name"):
        kinds, at = [], 0
        while at < len(data) and data != b"x":
            kind, (size, start) = data[at], inputs.number_at(data, at + 1)
            kinds.append(f" {kind}" + (f" (`{data[start + 1:start + size].decode()}`)" if kind == 0 else ""))
            at = start + size
        return (" with subsections" + ",".join(kinds)) if kinds else " with no subsection"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return f" = `{text}`" if text.isprintable() and len(text) < 40 and name not in (".debug_info",) else ""


def reaches(bad):
    """Whether some bytes go to the terminal as they are."""
    def look(answered, _, __):
        return ended(answered) + ("; it reaches the terminal" if bad in answered.stdout else "; it does not reach the terminal")
    return look


def ended(answered):
    if answered.returncode == 0:
        return "exit 0"
    how = f"exit {answered.returncode}" if answered.returncode > 0 else f"killed by signal {-answered.returncode}"
    return f"{how}: {first(answered.stderr or answered.stdout)}"


def first(said):
    """The first line, or two where a cause is told below."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    line = " ".join(lines[:1]) or "without a word"
    causes = [line.removeprefix("0: ") for line in lines if line.startswith("0: ")]
    return code((line + (f": {causes[0]}" if causes else ""))[:160])


def code(text):
    return "`" + text.replace("`", "'") + "`"


def quoted(values):
    return ", ".join(f"`{value}`" for value in values)
