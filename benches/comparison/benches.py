"""Runs the benches of the library, which print a line for each figure, and those of the bindings."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import packages
from .bindings import PYTHON
from .inputs import COMPONENT, OPENCASCADE
from .processes import answer
from .tools import ROOT, is_there

SMALL = 20_000
FILES = f"{re.escape(OPENCASCADE)}|{re.escape(COMPONENT)}"
SHOW_RATE, READ_RATE = (str(ROOT / "target/release/examples" / name) for name in ("show_rate", "read_rate"))
BINARIES = sorted(map(str, (ROOT / "tests/files").glob("*.wasm")))


@dataclass
class Bench:
    """A bench: its command as a user would type it, and how it is run here."""

    title: str
    command: str
    name: str = ""  # of a bench of Cargo
    filter: str = ""  # of a bench that takes one, because it uses Criterion
    words: list = field(default_factory=list)  # the command of a bench that is not one of Cargo
    directory: str = ""


BENCHES = [
    Bench("Scan", "cargo xtask bench scan", "scan", f"^(scan/)?[^/]+/({FILES})"),
    Bench("Metadata", "cargo xtask bench metadata", "metadata", FILES),
    Bench("Files", "cargo xtask bench file", "file", FILES),
    Bench("Growth", "cargo xtask bench growth", "growth", "/(1 GB|100000)/"),
    Bench("Pushed chunks", "cargo xtask bench push", "push", FILES),
    Bench("Gate", "cargo xtask bench gate", "gate", FILES),
    Bench("Edits", "cargo xtask bench edit", "edit", FILES),
    Bench("Inventory", "cargo xtask bench inventory", "inventory", "inventory/"),
    Bench("Audit", "cargo xtask bench audit", "audit"),
    Bench("Hidden binaries", "cargo xtask bench inside", "inside"),
    Bench("Compressed packages", "cargo xtask bench packages", "packages"),
    Bench("Rows judged again", "cargo xtask bench rejudge", "rejudge"),
    Bench("Remote objects", "cargo xtask bench remote", "remote"),
    Bench("Requests for objects", "cargo xtask bench requests", "requests"),
    Bench("Rows as columns", "cargo xtask bench columns", "columns"),
    Bench("Advisories", "cargo xtask bench matching", "matching"),
    Bench("Builds", "cargo xtask bench build", "build"),
    Bench("Node", "node bindings/js/bench.js target/release/examples/show_rate",
          words=["node", "bench.js", SHOW_RATE], directory="bindings/js"),
    Bench("Go", "cd bindings/go && SHOW_RATE=$PWD/../../target/release/examples/show_rate go test -run '^$' -bench 'Read|Gate' .",
          words=["go", "test", "-run", "^$", "-bench", "Read|Gate", "."], directory="bindings/go"),
    Bench("Python", "python bindings/python/bench.py target/release/examples/read_rate tests/files/*.wasm",
          words=[str(PYTHON), "bench.py", READ_RATE, *BINARIES], directory="bindings/python"),
    Bench("C", "bindings/c/bench tests/files/*.wasm", words=["bindings/c/bench", *BINARIES]),
]

CARGO = ["cargo", "bench", *(word for package in ("benches", "policy", "audit", "advisories", "cli")
                             for word in ("-p", f"sectile-{package}")), "--all-features"]
EXAMPLES = {"show_rate": "sectile-wasm", "read_rate": "sectile-python"}


def build():
    """Compiles the benches, so that no compiler runs beside a measurement. Returns the program and its directory by name."""
    packages.binary("typst.wasm")
    names = [word for bench in BENCHES if bench.name for word in ("--bench", bench.name)]
    messages = subprocess.run([*CARGO, *names, "--no-run", "--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    for example, package in EXAMPLES.items():
        if example == "read_rate" and not PYTHON.exists():
            continue
        subprocess.run(["cargo", "build", "--release", "-p", package, "--example", example], cwd=ROOT, check=True)
    subprocess.run(["bindings/c/install", "target/c-bench"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    built = [message for message in map(json.loads, messages.stdout.splitlines()) if message.get("executable")]
    return {message["target"]["name"]: (message["executable"], Path(message["manifest_path"]).parent)
            for message in built if message["target"]["kind"] == ["bench"]}


def run(programs, quick):
    """Returns the output of each bench, or why there is none. `programs` are those of `build`."""
    said = {}
    for bench in BENCHES:
        if quick and not bench.filter:
            continue
        print(f"  {bench.command}", file=sys.stderr)
        said[bench.title] = output(bench, programs, quick)
        print("\n".join(f"    {line}" for line in said[bench.title].splitlines()), file=sys.stderr)
    return said


def output(bench, programs, quick):
    command, directory = bench.words, ROOT / bench.directory
    environment = {**os.environ, "SECTILE_FILES": str(SMALL), "SHOW_RATE": SHOW_RATE}
    if bench.name:
        program, directory = programs[bench.name]
        toolchain = answer(["rustc", "--print", "sysroot"], cwd=ROOT).stdout.decode().strip()
        # As Cargo sets it, and the place of Criterion's files.
        environment |= {"CARGO": f"{toolchain}/bin/cargo", "CRITERION_HOME": str(ROOT / "target/criterion")}
        command = [program, "--bench"]
        command += ["--quiet", bench.filter] if bench.filter else []
        command += ["--warm-up-time", "0.2", "--measurement-time", "0.5", "--sample-size", "10"] if quick else []
    if not is_there(command[0]) and not (ROOT / command[0]).exists():
        return "not measured: benches/comparison/install"
    ran = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        print(ran.stderr, file=sys.stderr)
        return f"not measured: exit {ran.returncode}"
    return ran.stdout
