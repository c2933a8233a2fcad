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
# Where `comparison/install` installs the tools that are not system packages.
PEERS_DIRECTORY = Path(os.environ.get("SECTILE_PEERS", ROOT / "target/peers")).resolve()
os.environ["PATH"] = f"{PEERS_DIRECTORY}/bin:{os.environ['PATH']}"


@dataclass(frozen=True)
class Peer:
    """An alternative tool."""

    name: str
    package: str  # package with the version
    install: str  # installation command
    version: tuple = ("--version",)
    crate: str = ""  # for a tool installed by Cargo that does not print its version
    module: str = ""  # for a tool installed by Go that does not print its version


PEERS = [
    Peer("wasm-tools", "wasm-tools", "cargo install wasm-tools --locked"),
    Peer("wasm-objdump", "wabt", "apt install wabt"),
    Peer("wasm-strip", "wabt", "apt install wabt"),
    Peer("llvm-objcopy", "LLVM", "apt install llvm"),
    Peer("rust-audit-info", "rust-audit-info", "cargo install rust-audit-info --locked", crate="rust-audit-info"),
    Peer("syft", "syft", "go install github.com/anchore/syft/cmd/syft@latest", module="github.com/anchore/syft"),
    Peer("trivy", "trivy", "GOEXPERIMENT=jsonv2 go install github.com/aquasecurity/trivy/cmd/trivy@latest",
         module="github.com/aquasecurity/trivy"),
    Peer("go", "Go", "apt install golang-go", ("version",)),
    Peer("strings", "binutils", "apt install binutils"),
    Peer("rg", "ripgrep", "apt install ripgrep"),
    Peer("grep", "GNU grep", "apt install grep"),
    Peer("wkg", "wkg", "cargo install wkg --locked"),
    Peer("docker-registry", "distribution", "apt install docker-registry"),
    Peer("cp", "coreutils", "apt install coreutils"),
    Peer("cmp", "diffutils", "apt install diffutils"),
    Peer("find", "findutils", "apt install findutils"),
]
BY_NAME = {peer.name: peer for peer in PEERS}


def need(program, install):
    if not shutil.which(program):
        sys.exit(f"compare: needs {program}: {install}")


def need_optimized():
    """Ends the program if a tool that Cargo installed was built without optimizations: its times would mean nothing."""
    for peer in filter(lambda peer: is_there(peer.name), PEERS):
        listing = Path(shutil.which(peer.name)).resolve().parent.parent / ".crates2.json"  # packages installed by Cargo
        installs = json.loads(listing.read_text())["installs"].values() if listing.exists() else []
        if any(peer.name in install["bins"] and install["profile"] != "release" for install in installs):
            sys.exit(f"compare: {peer.name} was built without optimizations: {peer.install} --force")


def is_there(name):
    return shutil.which(name) is not None


def missing(name):
    return f"not installed: {BY_NAME[name].install}"


def build():
    """Builds the command in release mode, and returns its path."""
    command = ["cargo", "build", "--release", "-p", "sectile-cli", "--bin", "sectile", "--message-format", "json"]
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
    if peer.module:
        listing = answer(["go", "version", "-m", shutil.which(peer.name)]).stdout.decode()
        found = re.search(rf"\tmod\t{re.escape(peer.module)}\tv(\S+)", listing)
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
