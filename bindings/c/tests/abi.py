"""Compares the binary interface of the library with the last one: `abi.py HEADER LIBRARY BASELINE`.

The interface is each declaration of the header, and each symbol of the library. A declaration that is changed or removed
needs another version (`abi/version` and `SECTILE_ABI_VERSION`). `BLESS=1` writes the baseline.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

VERSION = "SECTILE_ABI_VERSION"


def declarations(header: str) -> dict[str, str]:
    """The constants, types and functions of a header by name, without comments and layout."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header, flags=re.S)
    constants = dict(re.findall(r"^#define +(SECTILE_\w+) +(.+)$", code, flags=re.M))
    code = re.sub(r'^#.*$|extern "C" \{', " ", code, flags=re.M)
    found = {name: value.strip() for name, value in constants.items()}
    for statement in re.findall(r"[^;{]*(?:\{[^}]*\}[^;{]*)?;", code):
        text = re.sub(r"\s*([(){},;*])\s*", r"\1", " ".join(statement.split())).rstrip(";")
        name = re.match(r"enum (\w+)|typedef .*?\(\*(\w+)\)|typedef .*?(\w+)$|[\w* ]+?(\w+)\(", text)
        if not name:
            raise SystemExit(f"a declaration of the header is not understood: {text}")
        key = next(filter(None, name.groups()))
        found[f"{key} type" if key in found else key] = text
    return found


def functions(found: dict[str, str]) -> set[str]:
    return {name for name, text in found.items() if re.search(rf"\b{name}\(", text)}


def symbols(library: str) -> set[str]:
    """The symbols that a library exports."""
    listed = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True)
    return {line.split()[-1] for line in listed.stdout.splitlines()}


def faults(found: dict[str, str], exported: set[str], baseline: dict[str, str]) -> list[str]:
    """The differences that are not allowed."""
    listed = [f"`{name}` is not in both the header and the library" for name in sorted(functions(found) ^ exported)]
    if found == baseline:
        return listed
    broken = sorted(name for name, text in baseline.items() if found.get(name) != text and name != VERSION)
    if broken and found[VERSION] == baseline.get(VERSION):
        listed += [f"`{name}` differs: was {baseline[name]}, is {found.get(name)}" for name in broken]
        listed.append(f"the binary interface is not compatible: increase {VERSION} and abi/version")
    else:
        listed.append("the binary interface has additions: `BLESS=1 .ci/c` records them")
    return listed


def main() -> None:
    header, library, baseline = sys.argv[1:]
    found = declarations(Path(header).read_text())
    lines = "".join(f"{name}: {text}\n" for name, text in sorted(found.items()))
    recorded = dict(line.split(": ", 1) for line in Path(baseline).read_text().splitlines())
    listed = faults(found, symbols(library), recorded)
    if os.environ.get("BLESS") and not any(VERSION in fault or "both" in fault for fault in listed):
        Path(baseline).write_text(lines)
    elif listed:
        sys.exit("\n".join(listed))


if __name__ == "__main__":
    main()
