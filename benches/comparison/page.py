"""docs/comparison.md, its pictures, and what the README shows of it: all made of what was measured."""

import statistics

from . import chart
from .growth import FLOOR
from .inputs import OPENCASCADE
from .tools import ROOT

DOCS = ROOT / "docs"
README = ROOT / "README.md"
BEGIN = "<!-- what was measured: made by `benches/compare` -->\n"
END = "<!-- its end -->\n"


def write(measured):
    """Writes everything anew; a trial beside what was built, and nothing of it into the README."""
    into = ROOT / "target/comparison" if measured["quick"] else DOCS
    into.mkdir(parents=True, exist_ok=True)
    (into / "comparison-size.svg").write_text(by_size(measured["by_size"]))
    (into / "comparison-sections.svg").write_text(by_sections(measured["by_sections"]))
    figures = f"{BEGIN}\n{in_short(measured)}\n{END}"
    (into / "comparison.md").write_text(page(measured, figures))
    if measured["quick"]:
        return
    before, rest = README.read_text().split(BEGIN)
    _, after = rest.split(END, 1)
    README.write_text(before + figures + after)


# Pictures.

COMMANDS = {"sectile": "sectile show", "wasm-tools": "wasm-tools metadata show", "wasm-objdump": "wasm-objdump -h"}


def by_size(points):
    return chart.draw(
        "Showing the metadata of a file, by its size",
        "Milliseconds of the whole command over the size of the file, both on logarithmic axes.",
        chart.Axis("size of the file", bytes_short), chart.Axis("whole command", milliseconds), series(points, joined=False),
    )


def by_sections(points):
    return chart.draw(
        "Showing the metadata of a file, by the number of its sections",
        "Milliseconds of the whole command over the number of small sections, both on logarithmic axes.",
        chart.Axis("sections", lambda number: f"{number:,.0f}"), chart.Axis("whole command", milliseconds),
        series(points, joined=True),
    )


def series(points, joined):
    names = list(dict.fromkeys(name for point in points for name in point["seconds"]))
    all_points = {name: [(p["at"], p["seconds"][name] * 1e3) for p in points if name in p["seconds"]] for name in names}
    floor = statistics.median(value for _, value in all_points.pop(FLOOR))
    drawn = [chart.Series(COMMANDS[name], points, joined) for name, points in all_points.items()]
    ends = min(point["at"] for point in points), max(point["at"] for point in points)
    return [*drawn, chart.Series(FLOOR, [(end, floor) for end in ends], dashed=True)]


def milliseconds(value):
    return f"{value:g} ms" if value < 1e3 else f"{value / 1e3:g} s"


def bytes_short(number):
    for unit, factor in (("MB", 1e6), ("KB", 1e3)):
        if number >= factor:
            return f"{number / factor:g} {unit}"
    return f"{number:g} B"


# What the README shows.


def in_short(measured):
    """Three figures."""
    library = next(row for row in measured["library"] if row["row"].startswith("metadata/") and row["file"] == OPENCASCADE)
    show = next(row for row in measured["whole"] if row["what"] == "show the metadata" and row["file"] == OPENCASCADE)
    add = next(row for row in measured["whole"] if row["what"].startswith("set a license, into") and row["file"] == OPENCASCADE
               and row["peer"] == "wasm-tools")
    rows = [
        (f"the metadata of {OPENCASCADE} ({size(library['size'])}), in memory, beside {library['beside']}",
         f"{faster(library)}, {size(library['read'])} looked at"),
        ("the same from the command line, start of the process and all, beside `wasm-tools metadata show`",
         beside(show)),
        ("a license set in it, beside `wasm-tools metadata add`", beside(add)),
    ]
    return "| | |\n| --- | --- |\n" + "".join(f"| {what} | {figures} |\n" for what, figures in rows)


def beside(row):
    if "failed" in row:
        return row["failed"]
    return f"{faster(row)}, {size(row['ours']['memory'])} of memory instead of {size(row['theirs']['memory'])}"


# The page.


def page(measured, figures):
    date = f" on {measured['date']}" if measured["date"] else ""
    quick = ["**A trial (`--quick`): these figures stand for nothing.**"] if measured["quick"] else []
    parts = [
        "# Compared",
        f"Made whole by `{measured['command']}`{date}: no figure and no cell of a table is written by hand.",
        *quick,
        figures.strip(),
        "![The time that each command takes, over the size of the file](comparison-size.svg)",
        growth_in_words(measured["by_size"], "size"),
        "![The time that each command takes, over the number of sections](comparison-sections.svg)",
        growth_in_words(measured["by_sections"], "number of sections"),
        "## How it was measured",
        HOW,
        table(["machine", ""], measured["machine"]),
        table(["tool", "version"], measured["versions"]),
        "## Whole commands",
        "Of two figures in a cell the first is Sectile's, the second the peer's.",
        *(part for group in dict.fromkeys(row["group"] for row in measured["whole"]) for part in whole(measured, group)),
        sparse(measured["sparse"]),
        "## The library",
        LIBRARY,
        library(measured["library"]),
        "## Where a peer is better, or a floor lies below",
        better(measured),
        "## What each does with odd inputs",
        WRONG,
        table(["input", "peer", "what the peer does", "what Sectile does"],
              [(row["what"], row["peer"], cell(row["theirs"]), as_the_peer(row)) for row in measured["wrong"]]),
        "## The commands",
        table(["Sectile", "peer"], list(dict.fromkeys(tuple(f"`{c}`" for c in row["commands"]) for row in measured["whole"]))),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


HOW = """Each pair runs in turns, in one run, with warm caches, the same files, and standard output into `/dev/null`; edits write
the same file and wait for no disk. *As fast* is the ratio of the fastest turns, with the median over the turns in brackets. A ratio
is of one machine; the times behind it are of a machine that does other things, too. *Memory* is the most that was resident, as GNU
time tells it. *Read* and *written* are what the process hands to and takes from the system by calls, its own loading included;
a file that is mapped is not in it, and what is written is not counted of what is pushed (to a registry on this machine): of what
goes into sockets the system tells only a part. *From the disk* is what the disk gave when the file was in no cache, reading ahead
included."""

LIBRARY = """Within one process, by the benches of Cargo. *Looked at* is what Sectile counts itself: bytes in memory that it looked
at, or read from the file."""

WRONG = """The same bytes for both. A cell says what was seen: how the command ended, with the first line of its complaint, which of
the values in question it shows, or what stands in the sections in question afterwards, by a reader that is neither's."""


COSTS = ("memory", "read", "written", "from_disk")


def whole(measured, group):
    rows = [row for row in measured["whole"] if row["group"] == group]
    shown = []
    for row in rows:
        what = row["what"] + (f" ({row['more']})" if row["more"] else "")
        first = [f"{what}: {row['file']}, {size(row['size'])}", row["peer"]]
        if "failed" in row:
            ours = [counted(row["ours"][key]) for key in COSTS]
            shown.append([*first, cell(row["failed"]), *ours])
            continue
        pairs = [counted(row["ours"][key], row["theirs"][key]) for key in COSTS]
        shown.append([*first, ratio(row), *pairs])
    head = [group, "beside", "as fast", "memory", "read", "written", "from the disk"]
    return [table(head, shown)]


def counted(*numbers):
    return "not counted" if None in numbers else ", ".join(map(size, numbers))


def library(rows):
    shown = []
    for row in rows:
        reads = f" in {row['reads']} reads" if row["reads"] and row["read"] != row["size"] else ""
        cost = f"{size(row['read'])}{reads}" if row["read"] is not None else ""
        cost += f"; {size(row['written'])} written" if "written" in row else ""
        shown.append([row["what"], row["file"], row["beside"], seconds(row["ours"]), seconds(row["theirs"]),
                      ratio(row), cost])
    return table(["", "file", "beside", "Sectile", "the other", "as fast", "looked at"], shown)


def growth_in_words(points, of):
    """What the ends of the picture say, and what was not readable."""
    first, last = points[0], points[-1]
    lines = []
    for name in dict.fromkeys(name for point in points for name in point["seconds"]):
        both = [point for point in points if name in point["seconds"]]
        span = [point["seconds"][name] for point in (both[0], both[-1])]
        unable = sum(name in point["unable"] for point in points)
        lines.append([name, seconds(span[0]), seconds(span[1]), times(span[1] / span[0]), f"{unable} of {len(points)}"])
    head = [f"by {of}", f"least ({first['at']:,})", f"most ({last['at']:,})", "ratio", "cannot read"]
    return table(head, lines)


def better(measured):
    """Rows in which the other side is faster or takes less memory."""
    lines = [*better_with(measured["by_size"], "files, by size"), *better_with(measured["by_sections"], "files, by sections")]
    for row in measured["whole"]:
        if "failed" in row:
            continue
        place = f"{row['what']}, {row['file']}: {row['peer']}"
        if row["ratio"] < 1:
            lines.append(f"- {place} is {times(1 / row['ratio'])} as fast.")
        if row["theirs"]["memory"] < row["ours"]["memory"]:
            lines.append(f"- {place} takes {size(row['theirs']['memory'])} of memory, Sectile {size(row['ours']['memory'])}.")
    for row in measured["library"]:
        if row["ratio"] < 1:
            lines.append(f"- {row['what']}, {row['file']}: {row['beside']} is {times(1 / row['ratio'])} as fast.")
    return "\n".join(dict.fromkeys(lines)) or "In no row above."


def better_with(points, of):
    """What the pictures show of it."""
    for name, command in COMMANDS.items():
        faster = [point for point in points if point["seconds"].get(name, 1e9) < point["seconds"]["sectile"]]
        if faster:
            most = max(faster, key=lambda point: point["at"])
            ratio = max(point["seconds"]["sectile"] / point["seconds"][name] for point in faster)
            yield (f"- {of}: `{command}` is faster with {len(faster)} of {len(points)}, up to {times(ratio)}; "
                   f"the last of them is {most['name']}, of {most['at']:,}.")


def sparse(row):
    return (f"Showing the metadata of a sparse file of {size(row['size'])} takes {size(row['memory'])} of memory "
            f"and reads {size(row['read'])}.")


def as_the_peer(row):
    return "the same" if row["ours"] == row["theirs"] else cell(row["ours"])


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


# Numbers, as people read them.


def ratio(row):
    return faster(row) + (f" ({times(row['median'])})" if row["median"] else "")


def faster(row):
    return times(row["ratio"]) + " as fast"


def times(ratio):
    if ratio >= 100:
        digits = 10 ** (len(str(int(ratio))) - 2)
        return f"{round(ratio / digits) * digits:,} ×"
    return f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.1f} ×" if ratio >= 2 else f"{ratio:.2f} ×"


def seconds(value):
    for unit, factor in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def size(number):
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if number >= factor:
            return f"{number / factor:.{0 if number >= 10 * factor else 1}f} {unit}"
    return f"{number} bytes"
