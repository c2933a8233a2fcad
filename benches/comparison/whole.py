"""Whole commands, beside those that a user would run instead: time in turns, memory, bytes.

Each side does the same to the same files, warm, with its fastest form, into the same sink; edits do not wait for the disk.
"""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import inputs, processes, tools
from .inputs import COMPONENT, CORPUS, ESBUILD, LARGE, OPENCASCADE, RUBY_DEBUG


@dataclass
class Duel:
    """What is measured: our commands, which take turns, and one of a peer."""

    group: str
    what: str
    files: list  # what is read, for the caches
    ours: list
    peer: str
    theirs: list
    to_reach: float = 1.0  # times as fast
    memory: float = float("inf")  # bytes that ours may take
    rounds: int = 20
    settle: Callable = processes.at_once  # what is done before each run
    to_files: bool = True  # or into sockets: of that the system counts what is written, but not what is sent
    more: str = ""  # what one side does and the other does not

    @property
    def sizes(self):
        """Of the files, by name: a copy that is edited is called what its original is."""
        return {file.name: file.stat().st_size for file in self.files}


def measure(sectile, scratch, registry, quick):
    """The rows of every duel; what a peer cannot do stands in its row."""
    duels = [*reading(sectile, scratch), *editing(sectile, scratch), *auditing(sectile, scratch)]
    duels += pushing(sectile, registry) if registry else []
    return [row(duel, scratch, max(2, duel.rounds // 5) if quick else duel.rounds) for duel in duels]


def reading(sectile, scratch):
    show = ["show", "--json"]
    for name in LARGE:
        file = CORPUS / name
        to_reach = 15 if file.stat().st_size > 50_000_000 else 1
        yield Duel("reading", "show the metadata", [file], [[sectile, *show, str(file)]], "wasm-tools",
                   ["wasm-tools", "metadata", "show", "--json", str(file)], to_reach, 8e6)
    for name in (OPENCASCADE, COMPONENT):
        file = CORPUS / name
        ours = [[sectile, "sections", str(file)]]
        yield Duel("reading", "list the sections", [file], ours, "wasm-objdump", ["wasm-objdump", "-h", str(file)])
        yield Duel("reading", "list the sections", [file], ours, "wasm-tools", ["wasm-tools", "objdump", str(file)])
    (data,) = [data for _, name, data, _ in inputs.sections_of(inputs.small("rust-auditable.wasm")) if name == ".dep-v0"]
    for name in (ESBUILD, OPENCASCADE):
        listing = scratch / f"dependencies-in-{name}"
        listing.write_bytes((CORPUS / name).read_bytes() + inputs.custom(".dep-v0", data))
        yield Duel("reading", "show what cargo-auditable listed", [listing], [[sectile, *show, str(listing)]],
                   "rust-audit-info", ["rust-audit-info", str(listing), str(listing.stat().st_size * 2)])
    file = CORPUS / OPENCASCADE
    yield Duel("reading", "check", [file], [[sectile, "check", str(file)]], "wasm-tools",
               ["wasm-tools", "validate", "--features", "all", str(file)],
               more="the peer validates the code, which Sectile never looks at")


def editing(sectile, scratch):
    """All without waiting for the disk: the peers do not wait, either."""
    source, out, copy = CORPUS / OPENCASCADE, scratch / "out.wasm", scratch / OPENCASCADE
    debug, composed = CORPUS / RUBY_DEBUG, CORPUS / COMPONENT
    for path in (out, copy):
        shutil.copyfile(source, path)
    licenses = scratch / "licenses"
    licenses.write_text("MIT")

    def edit(what, file, ours, peer, theirs, to_reach=1.0):
        files = [copy, source] if file == source else [file]
        return Duel("editing", what, files, ours, peer, [peer, *theirs], to_reach, 10e6, 10, os.sync)

    def turns(*more):  # a file that is edited again and again has something to change each time
        return [[sectile, "set", "--no-sync", *more, str(copy), "--licenses", value] for value in ("MIT", "ISC OR MIT")]

    def to_out(command, file, *more):
        return [[sectile, command, str(file), *more, "--no-sync", "-o", str(out)]]

    licensed = ("--licenses", "MIT")
    yield edit("set a license, into a new file", source, to_out("set", source, *licensed),
               "wasm-tools", ["metadata", "add", str(source), *licensed, "-o", str(out)])
    yield edit("set a license, into a new file", source, to_out("set", source, *licensed),
               "llvm-objcopy", [f"--add-section=licenses={licenses}", str(source), str(out)])
    yield edit("set a license, into a new file", composed, to_out("set", composed, *licensed),
               "wasm-tools", ["metadata", "add", str(composed), *licensed, "-o", str(out)])
    yield edit("set a license, the file replaced", source, turns(), "cp", [str(source), str(out)], 1 / 1.15)
    yield edit("set a license, in place", source, turns("--in-place"),
               "wasm-tools", ["metadata", "add", str(source), *licensed, "-o", str(out)])
    for peer, theirs in [("wasm-tools", ["strip", str(debug), "-o", str(out)]),
                         ("wasm-strip", [str(debug), "-o", str(out)]),
                         ("llvm-objcopy", ["--strip-debug", str(debug), str(out)])]:
        yield edit("strip debugging data", debug, to_out("strip", debug), peer, theirs)


def auditing(sectile, scratch):
    """Of a directory, a line of JSON a file: the peer takes one file at a time."""
    many = scratch / "many"
    many.mkdir()
    binary = inputs.small("rust-auditable.wasm")
    for nth in range(500):
        (many / f"{nth:03}.wasm").write_bytes(binary)
    for what, directory in [("audit the corpus", CORPUS), ("audit 500 small files", many)]:
        files = sorted(directory.glob("*.wasm"))
        show = ["wasm-tools", "metadata", "show", "--json"]
        one_by_one = ["find", "-L", str(directory), "-name", "*.wasm", "-exec", *show, "{}", ";"]
        find = f"find -L {directory} -name '*.wasm' -print0"
        in_parallel = ["sh", "-c", f"{find} | xargs -0 -n 1 -P {len(os.sched_getaffinity(0))} {' '.join(show)}"]
        ours = [[sectile, "audit", str(directory.resolve()), "--format", "jsonl"]]
        for theirs, how in [(one_by_one, "one after the other"), (in_parallel, "on all processors")]:
            yield Duel("auditing", what, files, ours, "wasm-tools", theirs, rounds=5,
                       more=f"Sectile judges each file, too, on all processors; the peer shows them {how}")


def pushing(sectile, registry):
    """To a registry that holds nothing of it before, and to one that holds all of it."""
    for name in (OPENCASCADE, COMPONENT):
        file, [ours, theirs] = CORPUS / name, [f"{registry.address}/{side}/app:1" for side in ("ours", "theirs")]
        sides = [[[sectile, "oci", "push", str(file), ours]], "wkg",
                 ["wkg", "oci", "push", "--insecure", registry.address, theirs, str(file)]]
        for what, settle in [("push", registry.empty), ("push what the registry has already", processes.at_once)]:
            yield Duel("pushing", what, [file], *sides, memory=10e6, rounds=5, settle=settle, to_files=False)


def row(duel, scratch, rounds):
    """Measures a duel."""
    ours, theirs = duel.ours, duel.theirs
    shown = {"group": duel.group, "what": duel.what, "more": duel.more, "size": sum(duel.sizes.values()), "peer": duel.peer,
             "file": duel.files[0].name if len(duel.sizes) == 1 else f"{len(duel.sizes)} files",
             "commands": [said(ours[0], scratch), said(theirs, scratch)], "to_reach": duel.to_reach}
    processes.warm(duel.files)
    for command in ours:  # those that take turns begin with one that changes something
        complaint = processes.complaint(processes.answer(command))
        assert complaint is None, f"{command}: {complaint}"
    shown["ours"] = resources(ours, duel)
    if duel.memory < shown["ours"]["memory"]:
        print(f"  MISSED: {shown['ours']['memory']} bytes resident, of {duel.memory:.0f}", file=sys.stderr)
    failed = tools.missing(duel.peer) if not tools.is_there(duel.peer) else cannot(duel, scratch)
    if failed:
        shown["failed"] = failed
        report(shown)
        return shown
    shown["theirs"] = resources([theirs], duel)
    spent = processes.in_turns([ours, [theirs]], rounds, duel.settle)
    for side, seconds in zip(("ours", "theirs"), spent):
        shown[side]["seconds"] = min(seconds)
    shown["ratio"], shown["median"] = processes.ratios(*spent)
    report(shown)
    return shown


def cannot(duel, scratch):
    """What a peer says that cannot do it."""
    complaint = processes.complaint(processes.answer(duel.theirs))
    return plain(complaint, scratch) if complaint else None


def resources(commands, duel):
    """Memory and bytes of the first of some commands. (Ones that take turns begin again with the first.)"""
    turns = iter((commands * 4)[: 3 if len(commands) == 1 else 4])

    def next_turn():
        duel.settle()
        return next(turns)

    memory = processes.peak_memory(next_turn())
    read, written, _ = processes.bytes_moved(next_turn())
    processes.drop_from_cache(duel.files)
    _, _, from_disk = processes.bytes_moved(next_turn())
    for command in turns:
        processes.answer(command)
    processes.warm(duel.files)
    return {"memory": memory, "read": read, "written": written if duel.to_files else None, "from_disk": from_disk}


def report(shown):
    """A line for who waits."""
    reached = shown.get("failed")
    if not reached:
        verdict = "reached" if shown["ratio"] >= shown["to_reach"] else "MISSED"
        reached = f"{shown['ratio']:.2f} x as fast (median {shown['median']:.2f}; to reach {shown['to_reach']:.2f}: {verdict})"
    print(f"  {shown['what']}, {shown['file']}, beside {shown['peer']}: {reached}", file=sys.stderr)


def said(command, scratch):
    """A command, as a person would write it."""
    return " ".join(plain(Path(word).name if word.startswith("/") else word, scratch) for word in command)


def plain(text, scratch):
    """Without places of this machine."""
    text = re.sub(r"127\.0\.0\.1:\d+", "REGISTRY", text)
    for place in (scratch, CORPUS, CORPUS.resolve()):
        text = text.replace(f"{place}/", "").replace(str(place), place.name)
    return text


def sparse(sectile, scratch):
    """The memory that a file of 6 GiB takes, of which little is there."""
    file = scratch / "sparse.wasm"
    inputs.write_6_gibibytes(file)
    command = [sectile, "show", "--json", str(file)]
    read, _, _ = processes.bytes_moved(command)
    shown = {"size": file.stat().st_size, "memory": processes.peak_memory(command), "read": read}
    file.unlink()
    return shown
