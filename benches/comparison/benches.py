"""Measures the library in memory and from files, with the benches of Cargo."""

import os
import re
import subprocess
import sys

from .inputs import COMPONENT, OPENCASCADE
from .tools import ROOT

# A line of crates/sectile-testing/src/bench/paired.rs: row, Sectile's time, the other side and its time, ratio, cost.
LINE = re.compile(
    r"^\| (?P<row>[^:]+): sectile (?P<ours>[\d.]+ \S+), (?P<other>.+?) (?P<theirs>[\d.]+ (?:ns|µs|ms)), "
    r"(?:ratio (?P<ratio>[\d.]+) \(median (?P<median>[\d.]+)|(?P<faster>\d+) x as fast \(median (?P<median_faster>\d+))"
    r".*?\): (?P<verdict>reached|MISSED)"
    r"(?:; bytes (?P<how>looked at|read) (?P<bytes>\d+) of (?P<size>\d+)(?: in (?P<reads>\d+) reads)?)?",
    re.MULTILINE,
)
WRITTEN = re.compile(r"^\| in-place: (\d+) bytes written", re.MULTILINE)

SMALL = 20_000

# Prefix of the row, description, and the other side; empty if the name that the bench prints is used.
CLAIMS = [
    ("scan/", "scan all sections, in memory", "a minimal loop over the headers"),
    ("metadata/", "read the metadata, in memory", "wasm-metadata"),
    ("file/", "open a file and read the metadata", ""),
    ("push/", "scan pushed chunks", "SHA-256 of the same chunks"),
    ("gate/", "gate, including SHA-256", "only SHA-256"),
    ("plan/", "plan an edit of five fields", "only the scan of the file"),
    ("deep/", "plan an edit of the deepest item", "the same edit of the root"),
    ("in-place/", "set a license in place, with a journal", "wasm-metadata and writing the file"),
    ("audit/corpus", "audit the corpus", ""),
    ("audit/", f"audit {SMALL:,} small files", "a loop that walks, opens, reads one page and writes a row"),
]

FLOORS = {"floor": "the same reads, without decoding"}

PACKAGES = ["sectile-benches", "sectile-policy", "sectile-audit"]
BENCHES = ["scan", "metadata", "file", "push", "gate", "edit", "audit"]


def run(quick):
    """Returns the rows that the benches print for the two representative files."""
    files = f"{re.escape(OPENCASCADE)}|{re.escape(COMPONENT)}"
    targets = [word for bench in BENCHES for word in ("--bench", bench)]
    packages = [word for package in PACKAGES for word in ("-p", package)]
    filter = f"^(scan/)?[^/]+/({files})"  # not gate/http/
    command = ["cargo", "bench", *packages, "--all-features", *targets, "--", "--quiet", filter]
    if quick:
        command += ["--warm-up-time", "0.2", "--measurement-time", "0.5", "--sample-size", "10"]
    print("  " + " ".join(command), file=sys.stderr)
    said = subprocess.run(command, cwd=ROOT, env={**os.environ, "SECTILE_FILES": str(SMALL)},
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    written = WRITTEN.search(said)
    rows = []
    for found in LINE.finditer(said):
        claim = next((claim for claim in CLAIMS if found["row"].startswith(claim[0])), None)
        if not claim or "like-" in found["row"]:  # generated files that resemble the real ones
            continue
        shown = row(found, claim)
        if claim[0] == "in-place/" and written:
            shown["written"] = int(written[1])
        if shown["row"] not in [row["row"] for row in rows]:  # a row with two goals is shown once
            rows.append(shown)
        print(f"  {found[0].removeprefix('| ')}", file=sys.stderr)
    missing = [claim for claim, *_ in CLAIMS if not any(row["row"].startswith(claim) for row in rows)]
    assert quick or not missing, f"the benches print no row of {missing}"
    if missing:  # possible with --quick
        print(f"  no row of {missing}", file=sys.stderr)
    return rows


def row(found, claim):
    """Returns a row with the ratio, from either form in which the bench prints it."""
    if found["faster"]:
        ratio, median = float(found["faster"]), float(found["median_faster"])
    else:
        ratio, median = nanoseconds(found["theirs"]) / nanoseconds(found["ours"]), float(found["median"])
        median = 1 / median if median >= 0.1 else None  # smaller ratios have too few digits
    return {
        "row": found["row"], "what": claim[1], "beside": claim[2] or FLOORS.get(found["other"], found["other"]),
        "file": file_of(found["row"]),
        "ours": nanoseconds(found["ours"]) / 1e9, "theirs": nanoseconds(found["theirs"]) / 1e9,
        "ratio": ratio, "median": median, "reached": found["verdict"] == "reached",
        "read": int(found["bytes"]) if found["bytes"] else None, "size": int(found["size"]) if found["size"] else None,
        "reads": int(found["reads"]) if found["reads"] else None,
    }


def file_of(row):
    """Returns the name of the file in a row."""
    name = next((name for name in (OPENCASCADE, COMPONENT) if name in row), None)
    if not name:
        return "all files" if row == "audit/corpus" else "generated"
    return f"{name}, in chunks of {row.rsplit('/', 1)[1]}" if row.endswith("KiB") else name


def nanoseconds(text):
    number, unit = text.split()
    return float(number) * {"ns": 1, "µs": 1e3, "ms": 1e6}[unit]
