"""Reads the lines that the benches of the library print, and compares both sides of each."""

import re
import sys

from .benches import SMALL
from .inputs import COMPONENT, OPENCASCADE

# A line of crates/sectile-testing/src/bench/paired.rs: row, Sectile's time, the other side and its time, ratio, cost.
LINE = re.compile(
    r"^\| (?P<row>[^:]+): sectile (?P<ours>[\d.]+ \S+), (?P<other>.+?) (?P<theirs>[\d.]+ (?:ns|µs|ms)), "
    r"(?:ratio (?P<ratio>[\d.]+) \(median (?P<median>[\d.]+)|(?P<faster>\d+) x as fast \(median (?P<median_faster>\d+))"
    r".*?\): (?P<verdict>reached|MISSED)"
    r"(?:; bytes (?P<how>looked at|read) (?P<bytes>\d+) of (?P<size>\d+)(?: in (?P<reads>\d+) reads)?)?",
    re.MULTILINE,
)
WRITTEN = re.compile(r"^\| in-place: (\d+) bytes written", re.MULTILINE)

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
    ("inventory/typst.wasm/", "find the packages of a Rust program", ""),
    ("inventory/typst.wasm", "find the packages of a Rust program", "reading the same data and one search for a string"),
    ("audit/", f"audit {SMALL:,} small files", "a loop that walks, opens, reads one page and writes a row"),
]

FLOORS = {"floor": "the same reads, without decoding", "strings and grep": "`strings` piped into `grep`",
          "quitters": "reading the file, and quitters"}


def rows(said, quick):
    """Returns the rows that the benches print for the two representative files, from the output of each bench."""
    said = "\n".join(said.values())
    written = WRITTEN.search(said)
    rows = []
    for found in LINE.finditer(said):
        claim = next((claim for claim in CLAIMS if found["row"].startswith(claim[0])), None)
        if not claim or any(part in found["row"] for part in ("like-", "http/", "corpus-")):  # neither is a row of the table
            continue
        shown = row(found, claim)
        if claim[0] == "in-place/" and written:
            shown["written"] = int(written[1])
        if shown["row"] not in [row["row"] for row in rows]:  # a row with two goals is shown once
            rows.append(shown)
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
    name = next((name for name in (OPENCASCADE, COMPONENT, "typst.wasm") if name in row), None)
    if not name:
        return "all files" if row == "audit/corpus" else "generated"
    return f"{name}, in chunks of {row.rsplit('/', 1)[1]}" if row.endswith("KiB") else name


def nanoseconds(text):
    number, unit = text.split()
    return float(number) * {"ns": 1, "µs": 1e3, "ms": 1e6}[unit]
