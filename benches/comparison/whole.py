"""Measures commands and the alternatives that a user would run: time in turns, memory, bytes.

Each side does the same to the same files with its fastest options, with warm caches and the same sink. Edits do not wait for
the disk.
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
class Pair:
    """Sectile's commands, which take turns, and one command of another tool."""

    group: str
    what: str
    files: list  # files that are read, to warm the caches
    ours: list
    peer: str
    theirs: list
    to_reach: float = 1.0  # required ratio
    memory: float = float("inf")  # maximum bytes for Sectile
    rounds: int = 20
    prepare: Callable = processes.no_preparation  # called before each run
    to_files: bool = True  # False for sockets: the system counts writes, but not sends
    more: str = ""  # difference between the tasks of the two sides

    @property
    def sizes(self):
        """The sizes by file name. The copy that is edited has the name of its original."""
        return {file.name: file.stat().st_size for file in self.files}


def measure(sectile, scratch, registry, quick):
    """Returns a row for each pair, with the error of a tool that fails."""
    pairs = [*reading(sectile, scratch), *editing(sectile, scratch), *auditing(sectile, scratch)]
    pairs += pushing(sectile, registry) if registry else []
    return [row(pair, scratch, max(2, pair.rounds // 5) if quick else pair.rounds) for pair in pairs]


def reading(sectile, scratch):
    show = ["show", "--json"]
    for name in LARGE:
        file = CORPUS / name
        to_reach = 15 if file.stat().st_size > 50_000_000 else 1
        yield Pair("reading", "show the metadata", [file], [[sectile, *show, str(file)]], "wasm-tools",
                   ["wasm-tools", "metadata", "show", "--json", str(file)], to_reach, 8e6)
    for name in (OPENCASCADE, COMPONENT):
        file = CORPUS / name
        ours = [[sectile, "sections", str(file)]]
        yield Pair("reading", "list the sections", [file], ours, "wasm-objdump", ["wasm-objdump", "-h", str(file)])
        yield Pair("reading", "list the sections", [file], ours, "wasm-tools", ["wasm-tools", "objdump", str(file)])
    (data,) = [data for _, name, data, _ in inputs.sections_of(inputs.small("rust-auditable.wasm")) if name == ".dep-v0"]
    for name in (ESBUILD, OPENCASCADE):
        listing = scratch / f"dependencies-in-{name}"
        listing.write_bytes((CORPUS / name).read_bytes() + inputs.custom(".dep-v0", data))
        yield Pair("reading", "show the dependencies", [listing], [[sectile, *show, str(listing)]],
                   "rust-audit-info", ["rust-audit-info", str(listing), str(listing.stat().st_size * 2)])
    file = CORPUS / OPENCASCADE
    yield Pair("reading", "check", [file], [[sectile, "check", str(file)]], "wasm-tools",
               ["wasm-tools", "validate", "--features", "all", str(file)],
               more="wasm-tools validates the code, Sectile does not")


def editing(sectile, scratch):
    """Edits that do not wait for the disk, as in the other tools."""
    source, out, copy = CORPUS / OPENCASCADE, scratch / "out.wasm", scratch / OPENCASCADE
    debug, composed = CORPUS / RUBY_DEBUG, CORPUS / COMPONENT
    for path in (out, copy):
        shutil.copyfile(source, path)
    licenses = scratch / "licenses"
    licenses.write_text("MIT")

    def edit(what, file, ours, peer, theirs, to_reach=1.0):
        files = [copy, source] if file == source else [file]
        return Pair("editing", what, files, ours, peer, [peer, *theirs], to_reach, 10e6, 10, os.sync)

    def turns(*more):  # alternating values, so that each edit changes the file
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
    yield edit("set a license, replacing the file", source, turns(), "cp", [str(source), str(out)], 1 / 1.15)
    yield edit("set a license, in place", source, turns("--in-place"),
               "wasm-tools", ["metadata", "add", str(source), *licensed, "-o", str(out)])
    for peer, theirs in [("wasm-tools", ["strip", str(debug), "-o", str(out)]),
                         ("wasm-strip", [str(debug), "-o", str(out)]),
                         ("llvm-objcopy", ["--strip-debug", str(debug), str(out)])]:
        yield edit("strip debugging data", debug, to_out("strip", debug), peer, theirs)


def auditing(sectile, scratch):
    """Audits of a directory, with one line of JSON for each file. wasm-tools reads one file at a time."""
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
        ours = [[sectile, "audit", str(directory.resolve()), "--inside", "never", "--format", "jsonl"]]
        for theirs, how in [(one_by_one, "one file after the other"), (in_parallel, "the files on all processors")]:
            yield Pair("auditing", what, files, ours, "wasm-tools", theirs, rounds=5,
                       more=f"Sectile also judges each file, on all processors; wasm-tools shows {how}")


def pushing(sectile, registry):
    """Pushes to an empty registry, and to one that has the image."""
    for name in (OPENCASCADE, COMPONENT):
        file, [ours, theirs] = CORPUS / name, [f"{registry.address}/{side}/app:1" for side in ("ours", "theirs")]
        sides = [[[sectile, "oci", "push", str(file), ours]], "wkg",
                 ["wkg", "oci", "push", "--insecure", registry.address, theirs, str(file)]]
        for what, prepare in [("push", registry.empty), ("push an image that the registry has", processes.no_preparation)]:
            yield Pair("pushing", what, [file], *sides, memory=10e6, rounds=5, prepare=prepare, to_files=False)


def row(pair, scratch, rounds):
    """Measures a pair."""
    ours, theirs = pair.ours, pair.theirs
    shown = {"group": pair.group, "what": pair.what, "more": pair.more, "size": sum(pair.sizes.values()), "peer": pair.peer,
             "file": pair.files[0].name if len(pair.sizes) == 1 else f"{len(pair.sizes)} files",
             "commands": [said(ours[0], scratch), said(theirs, scratch)], "to_reach": pair.to_reach}
    processes.warm(pair.files)
    for command in ours:  # if commands take turns, the first one changes the file
        complaint = processes.complaint(processes.answer(command))
        assert complaint is None, f"{command}: {complaint}"
    shown["ours"] = resources(ours, pair)
    if pair.memory < shown["ours"]["memory"]:
        print(f"  MISSED: {shown['ours']['memory']} bytes resident, of {pair.memory:.0f}", file=sys.stderr)
    failed = tools.missing(pair.peer) if not tools.is_there(pair.peer) else cannot(pair, scratch)
    if failed:
        shown["failed"] = failed
        report(shown)
        return shown
    shown["theirs"] = resources([theirs], pair)
    spent = processes.in_turns([ours, [theirs]], rounds, pair.prepare)
    for side, seconds in zip(("ours", "theirs"), spent):
        shown[side]["seconds"] = min(seconds)
    shown["ratio"], shown["median"] = processes.ratios(*spent)
    report(shown)
    return shown


def cannot(pair, scratch):
    """Returns the error of a tool that fails, or None."""
    complaint = processes.complaint(processes.answer(pair.theirs))
    return plain(complaint, scratch) if complaint else None


def resources(commands, pair):
    """Returns the memory and bytes of the first command. Commands that take turns start again with the first."""
    turns = iter((commands * 4)[: 3 if len(commands) == 1 else 4])

    def next_turn():
        pair.prepare()
        return next(turns)

    memory = processes.peak_memory(next_turn())
    read, written, _ = processes.bytes_moved(next_turn())
    processes.drop_from_cache(pair.files)
    _, _, from_disk = processes.bytes_moved(next_turn())
    for command in turns:
        processes.answer(command)
    processes.warm(pair.files)
    return {"memory": memory, "read": read, "written": written if pair.to_files else None, "from_disk": from_disk}


def report(shown):
    """Prints progress."""
    reached = shown.get("failed")
    if not reached:
        verdict = "reached" if shown["ratio"] >= shown["to_reach"] else "MISSED"
        reached = f"{shown['ratio']:.2f} x as fast (median {shown['median']:.2f}; to reach {shown['to_reach']:.2f}: {verdict})"
    print(f"  {shown['what']}, {shown['file']}, compared with {shown['peer']}: {reached}", file=sys.stderr)


def said(command, scratch):
    """Returns a command as a person would type it."""
    return " ".join(plain(Path(word).name if word.startswith("/") else word, scratch) for word in command)


def plain(text, scratch):
    """Replaces paths and addresses of this machine."""
    text = re.sub(r"127\.0\.0\.1:\d+", "REGISTRY", text)
    for directory in (scratch, CORPUS, CORPUS.resolve()):
        text = text.replace(f"{directory}/", "").replace(str(directory), directory.name)
    return text


def sparse(sectile, scratch):
    """Measures the memory for a sparse file of 6 GiB."""
    file = scratch / "sparse.wasm"
    inputs.write_6_gibibytes(file)
    command = [sectile, "show", "--json", str(file)]
    read, _, _ = processes.bytes_moved(command)
    shown = {"size": file.stat().st_size, "memory": processes.peak_memory(command), "read": read}
    file.unlink()
    return shown
