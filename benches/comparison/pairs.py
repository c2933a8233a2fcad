"""The commands that are compared, with the alternatives that a user would run.

Each side does the same to the same files with its fastest options, or the row tells the difference. Edits do not wait for
the disk.
"""

import json
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import inputs, packages, processes, tools
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
    edited: list = ()  # copies of the files that are edited
    count: tuple = ()  # functions from the output of each side to the number of packages or binaries that it found


def all_pairs(sectile, scratch, registry):
    """Returns all pairs. Images are pulled before pushes empty the registry."""
    yield from reading(sectile, scratch)
    yield from inventory(sectile, scratch)
    yield from hidden(sectile, scratch)
    yield from editing(sectile, scratch)
    yield from comparing(sectile, scratch)
    yield from auditing(sectile, scratch)
    if registry:
        yield from pulling(sectile, scratch, registry)
        yield from pushing(sectile, registry)


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


def inventory(sectile, scratch):
    """Lists of packages, written by tools that read binaries. Those that read no WebAssembly find nothing."""
    declared = scratch / "rust-auditable.wasm"
    declared.write_bytes(inputs.small("rust-auditable.wasm"))
    for file, what in [(packages.binary("typst.wasm"), "a Rust program without a list"),
                       (CORPUS / ESBUILD, "a Go program"), (declared, "a Rust program with a list")]:
        def pair(peer, theirs, count, more="", **rest):
            ours = [[sectile, "sbom", str(file)]]
            return Pair("inventory", f"find the packages of {what}", [file], ours, peer, theirs, more=more,
                        count=(with_purl, count), rounds=5, **rest)

        yield pair("syft", ["syft", "scan", "--quiet", f"file:{file}", "-o", "cyclonedx-json"], with_purl)
        yield pair("trivy", ["trivy", "rootfs", "--quiet", "--offline-scan", "--skip-version-check", "--format", "cyclonedx",
                             str(file)], with_purl)
        if what == "a Go program":
            yield pair("go", ["go", "version", "-m", str(file)], lambda said: said.count(b"\tdep\t") + said.count(b"\tmod\t"))
        elif what == "a Rust program without a list":
            path = "registry/src/[^/]+/[A-Za-z0-9_-]+-[0-9.]+"
            yield pair("strings", ["sh", "-c", f"strings {shlex.quote(str(file))} | grep -oE '{path}' | sort -u"],
                       lambda said: len(said.splitlines()), "strings, grep and sort list paths of crates only")


def with_purl(said):
    """Returns the number of components with a package URL in an SBOM."""
    return sum("purl" in component for component in json.loads(said).get("components", []))


def hidden(sectile, scratch):
    """Searches for modules that scripts contain as text. The other tools search for the Base64 of the first bytes only."""
    directory = scratch / "scripts"
    packages.write_scripts(directory)
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    magic = "AGFzbQ"  # the Base64 of the magic bytes
    ours = [[sectile, "audit", str(directory), "--inside=always", "--no-progress", "--allow-empty", "--format", "jsonl"]]
    for peer, theirs in [("rg", ["rg", "--no-ignore", "--hidden", "--text", "--no-filename", "--only-matching", magic]),
                         ("grep", ["grep", "--recursive", "--text", "--no-filename", "--only-matching", magic])]:
        yield Pair("hidden binaries", "find modules in scripts", files, ours, peer, [*theirs, str(directory)], rounds=5,
                   more=f"Sectile decodes, frames and judges each module, in any encoding; {peer} lists places with `{magic}`",
                   count=(rows, lambda said: len(said.splitlines())))


def rows(said):
    """Returns the number of binaries in JSON lines of an audit."""
    return sum(json.loads(line).get("row") == "binary" for line in said.splitlines())


def editing(sectile, scratch):
    """Edits that do not wait for the disk, as in the other tools."""
    source, out, copy = CORPUS / OPENCASCADE, scratch / "out.wasm", scratch / OPENCASCADE
    debug, composed = CORPUS / RUBY_DEBUG, CORPUS / COMPONENT
    for path in (out, copy):
        shutil.copyfile(source, path)
    licenses = scratch / "licenses"
    licenses.write_text("MIT")

    def edit(what, file, ours, peer, theirs, to_reach=1.0):
        edited = [copy] if file == source else []
        return Pair("editing", what, [file], ours, peer, [peer, *theirs], to_reach, 10e6, 10, os.sync, edited=edited)

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


def comparing(sectile, scratch):
    """Differences between two binaries. Both commands have status 1 if there are some, which a shell hides."""
    old, new = CORPUS / OPENCASCADE, scratch / f"licensed-{OPENCASCADE}"
    new.write_bytes(old.read_bytes() + inputs.custom("licenses", "MIT"))
    left, right = scratch / "old.txt", scratch / "new.txt"
    for what, ours, show in [
        ("compare the metadata and the sections of two files", "", "objdump"),
        ("compare all bytes of two files", " --content", "print"),
    ]:
        if show == "print":
            theirs, peer = f"cmp {old} {new} || true", "cmp"
            more = "Sectile tells which section differs, cmp where the bytes do"
        else:
            theirs = f"wasm-tools {show} {old} >{left}; wasm-tools {show} {new} >{right}; diff {left} {right} || true"
            peer, more = "wasm-tools", "wasm-tools lists the sections of each, and `diff` compares the lists"
        yield Pair("comparing", what, [old, new], [["sh", "-c", f"{sectile} diff{ours} {old} {new} || true"]], peer,
                   ["sh", "-c", theirs], rounds=10, more=more)


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
        ours = [[sectile, "audit", str(directory.resolve()), "--inside=never", "--format", "jsonl"]]
        for theirs, how in [(one_by_one, "one file after the other"), (in_parallel, "the files on all processors")]:
            yield Pair("auditing", what, files, ours, "wasm-tools", theirs, rounds=5,
                       more=f"Sectile also judges each file, on all processors; wasm-tools shows {how}")


def pulling(sectile, scratch, registry):
    """Pulls of images that Sectile pushed."""
    for name in (OPENCASCADE, COMPONENT):
        file, image, out = CORPUS / name, f"{registry.address}/{name.split('.')[0]}/pulled:1", scratch / f"pulled-{name}"
        complaint = processes.complaint(processes.answer([sectile, "oci", "push", str(file), image]))
        assert complaint is None, complaint

        def prepare(out=out):  # otherwise, a pull only compares the digests
            out.unlink(missing_ok=True)
            os.sync()

        yield Pair("pulling", "pull", [file], [[sectile, "oci", "pull", image, "-o", str(out)]], "wkg",
                   ["wkg", "oci", "pull", "--insecure", registry.address, image, "-o", str(out)], memory=12e6, rounds=5,
                   prepare=prepare, to_files=False)


def pushing(sectile, registry):
    """Pushes to an empty registry, and to one that has the image."""
    for name in (OPENCASCADE, COMPONENT):
        file, [ours, theirs] = CORPUS / name, [f"{registry.address}/{side}/app:1" for side in ("ours", "theirs")]
        sides = [[[sectile, "oci", "push", str(file), ours]], "wkg",
                 ["wkg", "oci", "push", "--insecure", registry.address, theirs, str(file)]]
        for what, prepare in [("push", registry.empty), ("push an image that the registry has", processes.no_preparation)]:
            yield Pair("pushing", what, [file], *sides, memory=10e6, rounds=5, prepare=prepare, to_files=False)
