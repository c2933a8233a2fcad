"""Measures the growth of the cost of showing metadata, with the size of the file and with the number of sections.

Each value is the fastest of several runs of a command with warm caches. `true`, a process that does nothing, is the lower bound.
"""

import sys

from . import inputs, processes, tools

FLOOR = "doing nothing"


def sides(sectile, file):
    commands = {
        "sectile": [sectile, "show", "--json", str(file)],
        "wasm-tools": ["wasm-tools", "metadata", "show", "--json", str(file)],
        "wasm-objdump": ["wasm-objdump", "-h", str(file)],
    }
    there = {name: command for name, command in commands.items() if name == "sectile" or tools.is_there(name)}
    return {**there, FLOOR: ["true"]}


def with_size(sectile, quick):
    """Returns the points of the corpus: file, size, and the seconds of each tool that can read it."""
    files = [(file, file.stat().st_size) for file in inputs.corpus()[:: 6 if quick else 1]]
    return points(sectile, files, quick)


def with_sections(sectile, scratch, quick):
    """Returns the points of modules with 10 to 100,000 small sections."""
    files = []
    for count in [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000]:
        file = scratch / f"{count}-sections.wasm"
        file.write_bytes(inputs.of_sections(count))
        files.append((file, count))
    return points(sectile, files, quick)


def points(sectile, files, quick):
    """Measures in several passes over all files, so that a disturbance affects only one pass of a file."""
    passes, rounds = (1, 3) if quick else (4, 7)
    measured = [[point(sectile, *file, rounds) for file in files] for _ in range(passes)]
    merged = []
    for of_one in zip(*measured):
        seconds = {name: min(point["seconds"][name] for point in of_one) for name in of_one[0]["seconds"]}
        print(f"  {of_one[0]['name']}: " + ", ".join(f"{name} {took * 1e3:.2f} ms" for name, took in seconds.items()),
              file=sys.stderr)
        merged.append({**of_one[0], "seconds": seconds})
    return merged


def point(sectile, file, at, rounds):
    processes.warm([file])
    commands = sides(sectile, file)
    complaints = {name: processes.complaint(processes.answer(command)) for name, command in commands.items()}
    assert complaints["sectile"] is None, f"{file}: {complaints['sectile']}"
    able = [name for name, complaint in complaints.items() if complaint is None]
    spent = processes.in_turns([[commands[name]] for name in able], rounds)
    seconds = {name: min(times) for name, times in zip(able, spent)}
    unable = [name for name in complaints if name not in able]
    return {"name": file.name, "at": at, "seconds": seconds, "unable": unable}
