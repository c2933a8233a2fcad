"""Measures commands and the alternatives that a user would run: time in turns, memory, bytes, with warm caches and the same
sink.
"""

import re
import sys
from pathlib import Path

from . import inputs, processes, tools
from .inputs import CORPUS
from .packages import FILES
from .pairs import all_pairs


def measure(sectile, scratch, registry, quick):
    """Returns a row for each pair, with the error of a tool that fails."""
    pairs = all_pairs(sectile, scratch, registry)
    return [row(pair, scratch, max(2, pair.rounds // 5) if quick else pair.rounds) for pair in list(pairs)]


def row(pair, scratch, rounds):
    """Measures a pair."""
    ours, theirs = pair.ours, pair.theirs
    shown = {"group": pair.group, "what": pair.what, "more": pair.more, "peer": pair.peer,
             "size": sum(file.stat().st_size for file in pair.files),
             "file": pair.files[0].name if len(pair.files) == 1 else f"{len(pair.files)} files",
             "commands": [said(ours[0], scratch), said(theirs, scratch)], "to_reach": pair.to_reach}
    processes.warm([*pair.files, *pair.edited])
    for command in ours:  # if commands take turns, the first one changes the file
        complaint = processes.complaint(processes.answer(command))
        assert complaint is None, f"{command}: {complaint}"
    shown["ours"] = resources(ours, pair)
    if pair.memory < shown["ours"]["memory"]:
        print(f"  MISSED: {shown['ours']['memory']} bytes resident, of {pair.memory:.0f}", file=sys.stderr)
    failed = tools.missing(pair.peer) if not tools.is_there(pair.peer) else cannot(pair, scratch)
    if failed:
        shown["failed"] = failed
        report(shown)
        return shown
    if pair.count:
        shown["found"] = [count(processes.answer(command).stdout) for count, command in zip(pair.count, (ours[0], theirs))]
    shown["theirs"] = resources([theirs], pair)
    spent = processes.in_turns([ours, [theirs]], rounds, pair.prepare)
    for side, seconds in zip(("ours", "theirs"), spent):
        shown[side]["seconds"] = min(seconds)
    shown["ratio"], shown["median"] = processes.ratios(*spent)
    report(shown)
    return shown


def cannot(pair, scratch):
    """Returns the error of a tool that fails, or None."""
    complaint = processes.complaint(processes.answer(pair.theirs))
    return plain(complaint, scratch) if complaint else None


def resources(commands, pair):
    """Returns the memory and bytes of the first command. Commands that take turns start again with the first."""
    turns = iter((commands * 4)[: 3 if len(commands) == 1 else 4])

    def next_turn():
        pair.prepare()
        return next(turns)

    memory = processes.peak_memory(next_turn())
    read, written, _ = processes.bytes_moved(next_turn())
    processes.drop_from_cache([*pair.files, *pair.edited])
    _, _, from_disk = processes.bytes_moved(next_turn())
    for command in turns:
        processes.answer(command)
    processes.warm([*pair.files, *pair.edited])
    return {"memory": memory, "read": read, "written": written if pair.to_files else None, "from_disk": from_disk}


def report(shown):
    """Prints progress."""
    reached = shown.get("failed")
    if not reached:
        verdict = "reached" if shown["ratio"] >= shown["to_reach"] else "MISSED"
        reached = f"{shown['ratio']:.2f} x as fast (median {shown['median']:.2f}; to reach {shown['to_reach']:.2f}: {verdict})"
    if "found" in shown:
        reached += f"; found {shown['found']}"
    print(f"  {shown['what']}, {shown['file']}, compared with {shown['peer']}: {reached}", file=sys.stderr)


def said(command, scratch):
    """Returns a command as a person would type it."""
    is_path = [word.startswith("/") and " " not in word for word in command]  # not a script of a shell
    return " ".join(plain(Path(word).name if path else word, scratch) for word, path in zip(command, is_path))


def plain(text, scratch):
    """Replaces paths and addresses of this machine."""
    text = re.sub(r"127\.0\.0\.1:\d+", "REGISTRY", text)
    text = re.sub(r"/\S+/(?=sectile )", "", text)
    for directory in (scratch, CORPUS, CORPUS.resolve(), FILES):
        text = text.replace(f"{directory}/", "").replace(str(directory), directory.name)
    return text


def sparse(sectile, scratch):
    """Measures the memory for a sparse file of 6 GiB."""
    file = scratch / "sparse.wasm"
    inputs.write_6_gibibytes(file)
    command = [sectile, "show", "--json", str(file)]
    read, _, _ = processes.bytes_moved(command)
    shown = {"size": file.stat().st_size, "memory": processes.peak_memory(command), "read": read}
    file.unlink()
    return shown
