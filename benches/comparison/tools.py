"""The tools that are compared, and the machine."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .processes import answer

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Peer:
    """An alternative tool."""

    name: str
    package: str  # package with the version
    install: str  # installation command
    version: tuple = ("--version",)
    crate: str = ""  # for a tool that does not print its version


PEERS = [
    Peer("wasm-tools", "wasm-tools", "cargo install wasm-tools --locked"),
    Peer("wasm-objdump", "wabt", "apt install wabt"),
    Peer("wasm-strip", "wabt", "apt install wabt"),
    Peer("llvm-objcopy", "LLVM", "apt install llvm"),
    Peer("rust-audit-info", "rust-audit-info", "cargo install rust-audit-info --locked", crate="rust-audit-info"),
    Peer("wkg", "wkg", "cargo install wkg --locked"),
    Peer("docker-registry", "distribution", "apt install docker-registry"),
    Peer("cp", "coreutils", "apt install coreutils"),
    Peer("find", "findutils", "apt install findutils"),
]
BY_NAME = {peer.name: peer for peer in PEERS}


def need(program, install):
    if not shutil.which(program):
        sys.exit(f"compare: needs {program}: {install}")


def is_there(name):
    return shutil.which(name) is not None


def missing(name):
    return f"not installed: {BY_NAME[name].install}"


def build():
    """Builds the command in release mode, and returns its path."""
    command = ["cargo", "build", "--release", "-p", "sectile-cli", "--bins", "--message-format", "json"]
    messages = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE).stdout
    built = [message.get("executable") for message in map(json.loads, messages.splitlines())]
    (sectile,) = filter(None, built)
    return sectile


def versions(sectile):
    """Returns rows of name and version."""
    rows = [("sectile", f"{first_number(answer([sectile, '--version']))}, {commit()}")]
    for peer in PEERS:
        rows.append((peer.name, version(peer) if is_there(peer.name) else missing(peer.name)))
    lock = (ROOT / "Cargo.lock").read_text()
    rows.append(("wasm-metadata (the library)", re.search(r'name = "wasm-metadata"\nversion = "([^"]+)"', lock)[1]))
    return rows


def version(peer):
    if peer.crate:
        listing = Path(shutil.which(peer.name)).resolve().parent.parent / ".crates.toml"  # packages installed by Cargo
        found = listing.exists() and re.search(rf'"{peer.crate} (\S+) ', listing.read_text())
        return found[1] if found else "unknown version"
    found = first_number(answer([peer.name, *peer.version]))
    return found if peer.package == peer.name else f"{found} ({peer.package})"


def first_number(answered):
    said = (answered.stdout or answered.stderr).decode(errors="replace")
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else "unknown version"


def commit():
    described = answer(["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10"])
    return f"commit {described.stdout.decode().strip()}" if described.returncode == 0 else "no work tree"


def machine():
    """Returns rows of property and value."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
    return [
        ("processor", cpu[1] if cpu else platform.processor() or platform.machine()),
        ("available processors", str(len(os.sched_getaffinity(0)))),
        ("memory", f"{memory / 2**30:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("file system of the corpus", file_system(ROOT / "benches/corpus/files")),
        ("rustc", answer(["rustc", "--version"], cwd=ROOT).stdout.decode().split()[1]),
    ]


def file_system(path):
    lines = answer(["df", "--output=fstype", str(path)]).stdout.decode().split()
    return lines[-1] if lines else "unknown"
