"""The comparison in short: a table of a few tasks, also in the README, and its picture."""

from . import chart
from .inputs import OPENCASCADE
from .numbers import seconds, size, times


def rows(measured):
    """Returns the rows that were measured: task, input, name of the other tool, and the row."""
    library, whole = measured["library"], measured["whole"]
    chosen = [
        ("read the metadata in memory", "wasm-metadata",
         (row for row in library if row["row"].startswith("metadata/") and row["file"] == OPENCASCADE)),
        ("show the metadata", "wasm-tools", of(whole, "show the metadata", "wasm-tools", OPENCASCADE)),
        ("audit a directory", "wasm-tools, on all processors",
         (row for row in whole if row["what"] == "audit the corpus" and row["more"].endswith("shows the files on all processors"))),
        ("find packages", "strings, grep and sort", of(whole, "find the packages of a Rust program without a list", "strings")),
        ("compare two files", "wasm-tools and diff", of(whole, "compare the metadata and the sections of two files", "wasm-tools")),
        ("set a license", "wasm-tools", of(whole, "set a license, into a new file", "wasm-tools", OPENCASCADE)),
        ("pull an image", "wkg", of(whole, "pull", "wkg", OPENCASCADE)),
        ("find modules in scripts", "ripgrep, which only finds the first bytes", of(whole, "find modules in scripts", "rg")),
    ]
    found = [(task, peer, next(rows, None)) for task, peer, rows in chosen]
    return [(task, peer, row) for task, peer, row in found if row and "failed" not in row]


def of(whole, what, peer, file=None):
    return (row for row in whole if row["what"] == what and row["peer"] == peer and file in (None, row["file"]))


def text(measured):
    """Returns the table."""
    lines = ["| task, on | Sectile | compared with | Sectile is |", "| --- | --- | --- | --- |"]
    for task, peer, row in rows(measured):
        name = f"{row['file']}, {size(row['size'])}"
        lines.append(f"| {task}: {name} | {cost(row, 'ours', 0)} | {peer}: {cost(row, 'theirs', 1)} | {verdict(row)} |")
    return "\n".join(lines)


def cost(row, side, nth):
    """Returns the time of a side, with its memory and the number of packages or binaries that it found."""
    if not isinstance(row[side], dict):
        return seconds(row[side])
    parts = [seconds(row[side]["seconds"]), size(row[side]["memory"])]
    return ", ".join(parts + ([f"{row['found'][nth]} found"] if "found" in row else []))


def verdict(row):
    return f"**{times(row['ratio'])} as fast**" if row["ratio"] >= 1 else f"{times(1 / row['ratio'])} slower"


def picture(measured):
    bars = [(f"{task} / {peer.split(',')[0]}", row["ratio"], verdict(row).strip("*")) for task, peer, row in rows(measured)]
    return chart.bars("How many times as fast as other tools", "Ratio of times on a logarithmic axis. A bar to the left: "
                      "the other tool is faster.", bars)
