"""Compares the bindings with other parsers of WebAssembly, in Python, Node and Go, by their own programs."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

from . import processes, tools
from .inputs import CORPUS, ESBUILD
from .tools import PEERS_DIRECTORY, ROOT

PYTHON = PEERS_DIRECTORY / "python/bin/python"
MODULES = PEERS_DIRECTORY / "node_modules"


@dataclass
class Language:
    """A binding, and the program that compares it with other parsers."""

    name: str
    directory: str
    command: list  # before the files
    needs: list  # paths and programs
    large: bool = True  # also with a large file


LANGUAGES = [
    Language("Python", "bindings/python", [str(PYTHON), "parsers.py"], [PYTHON], large=False),  # blint takes minutes
    Language("Node", "bindings/js", ["node", "parsers.js", str(PEERS_DIRECTORY)], ["node", MODULES]),
    Language("Go", "bindings/go/parsers", ["go", "run", "."], ["go"]),
]

# A line of the table that each program prints.
LINE = re.compile(r"^\| `(.+?)` \| (\d+) of (\d+) \| ([\d.,]+) µs \| ([\d.,]+) × \| ([\d.,]+) × \| ([\d.,]+) × \|$", re.MULTILINE)


def run():
    """Returns a row for each parser of each language, or why there is none."""
    small = sorted((ROOT / "tests/files").glob("*.wasm"))
    rows = []
    for language in LANGUAGES:
        what = {"language": language.name}
        if not all(tools.is_there(str(needed)) or os.path.exists(needed) for needed in language.needs):
            rows.append({**what, "failed": "not installed: benches/comparison/install"})
            continue
        rows += [{**what, **row} for row in compare(language, f"{len(small)} small files", small)]
        if language.large:
            rows += [{**what, **row} for row in compare(language, ESBUILD, [CORPUS / ESBUILD])]
    return rows


def compare(language, name, files):
    """Returns the lines that the program of a binding prints."""
    command = [*language.command, *map(str, files)]
    said = subprocess.run(command, cwd=ROOT / language.directory, capture_output=True, text=True)
    if said.returncode != 0:
        print(said.stderr, file=sys.stderr)
        return [{"file": name, "failed": f"exit {said.returncode}"}]
    print(said.stdout, file=sys.stderr)
    (own, *others) = [found.groups() for found in LINE.finditer(said.stdout)]
    return [{"file": name, "peer": peer, "read": f"{able} of {of}", "ours": number(own[3]), "theirs": number(median),
             "ratio": number(ratio), "lowest": number(lowest)} for peer, able, of, median, _, ratio, lowest in others]


def number(text):
    return float(text.replace(",", ""))


def versions():
    """Returns rows of name and version of the parsers."""
    rows = []
    for package in ("blint", "wasm_tools", "wasm"):
        ask = [str(PYTHON), "-c", f"import importlib.metadata as m; print(m.version('{package}'))"]
        said = processes.answer(ask).stdout.decode().strip() if PYTHON.exists() else ""
        rows.append((f"{package} (Python)", said or f"not installed: pip install {package}"))
    name = "@webassemblyjs/wasm-parser"
    manifest = MODULES / name / "package.json"
    rows.append((name, json.loads(manifest.read_text())["version"] if manifest.exists() else f"not installed: npm install {name}"))
    if tools.is_there("node"):
        rows.append(("Node", tools.first_number(processes.answer(["node", "--version"]))))
    required = (ROOT / "bindings/go/parsers/go.mod").read_text()
    for name in ("wazero", "wabin"):
        rows.append((f"{name} (Go)", re.search(rf"tetratelabs/{name} v(\S+)", required)[1]))
    return rows
