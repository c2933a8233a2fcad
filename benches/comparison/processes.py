"""Whole processes: how long they take, in turns; the most memory that they have; the bytes that they read and write."""

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE = 120  # seconds, after which a command that is looked at is given up


def answer(command, **options):
    """What a command says, its bytes and all."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, **options)


def complaint(answered):
    """The first line that a command complained in, or None where it was content."""
    if answered.returncode == 0:
        return None
    lines = (answered.stderr or answered.stdout).decode(errors="replace").split("\n")
    said = next((line for line in lines if line.strip()), "without a word")
    return LACKING if is_lacking(said) else f"exit {answered.returncode}: {said.strip()}"


# What a peer says that was built without some of its commands, as `cargo install --no-default-features` does.
LACKING = "not measured: it is built without this command"


def is_lacking(said):
    return "unrecognized subcommand" in said


def seconds_of(command, null):
    start = time.perf_counter()
    pid = spawn(command, null)
    _, status = os.waitpid(pid, 0)
    seconds = time.perf_counter() - start
    assert status == 0, f"{command}: {status}"
    return seconds


def spawn(command, null):
    actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    return os.posix_spawnp(command[0], command, os.environ, file_actions=actions)


def at_once():
    """Nothing, before a run."""


def in_turns(sides, rounds, settle=at_once):
    """The seconds of each side, round by round; the first round is left out, which fills the caches.

    A side is a list of commands, which take turns themselves. Before each run `settle` is called: after `os.sync` nobody
    waits for the disk to take what the run before has written.
    """
    spent = [[] for _ in sides]
    with open(os.devnull, "r+") as null:
        for turn in range(rounds + 1):
            for commands, seconds in zip(sides, spent):
                settle()
                seconds.append(seconds_of(commands[turn % len(commands)], null.fileno()))
    return [seconds[1:] for seconds in spent]


def ratios(ours, theirs):
    """How many times as fast ours is: of the fastest runs, and the median over the rounds."""
    rounds = [other / our for our, other in zip(ours, theirs)]
    return min(theirs) / min(ours), statistics.median(rounds)


def peak_memory(command):
    """The most memory that a command, or one that it waits for, had resident: bytes.

    By GNU time, which is small: `wait4` counts what a child shares with its parent before it executes the command, and
    that would be a Python.
    """
    with tempfile.NamedTemporaryFile("r") as said:
        answered = answer(["time", "--quiet", "--format", "%M", "--output", said.name, *command])
        assert answered.returncode == 0, f"{command}: {complaint(answered)}"
        return int(said.read()) * 1024


def bytes_moved(command):
    """What a command and those that it waits for hand to and take from the system: bytes read, written, and read from
    the disk. What is mapped is counted by the last alone."""
    with open(os.devnull, "r+") as null:
        pid = spawn(command, null.fileno())
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # its counters stay until it is waited for
        counters = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
        _, status = os.waitpid(pid, 0)
    assert status == 0, f"{command}: {status}"
    return tuple(int(counters[key]) for key in ("rchar", "wchar", "read_bytes"))


def drop_from_cache(paths):
    for path in paths:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def warm(paths):
    for path in paths:
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass
