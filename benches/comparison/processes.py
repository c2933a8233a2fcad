"""Measures processes: time in turns, maximum memory, bytes read and written."""

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

TIMEOUT = 120  # seconds for a command whose output is inspected


def answer(command, **options):
    """Runs a command and captures its output."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, **options)


def complaint(answered):
    """Returns the exit status and the first line of the message of a command that failed, or None."""
    if answered.returncode == 0:
        return None
    lines = (answered.stderr or answered.stdout).decode(errors="replace").split("\n")
    said = next((line for line in lines if line.strip()), "no message")
    return LACKING if is_lacking(said) else f"exit {answered.returncode}: {said.strip()}"


# For a tool that was built without some of its commands, as by `cargo install --no-default-features`.
LACKING = "not measured: built without this command"


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


def no_preparation():
    """Does nothing before a run."""


def in_turns(sides, rounds, prepare=no_preparation):
    """Returns the seconds of each side, round by round, without the first round, which fills the caches.

    A side is a list of commands that take turns. `prepare` is called before each run: after `os.sync`, a run does not wait
    for the writes of the previous one.
    """
    spent = [[] for _ in sides]
    with open(os.devnull, "r+") as null:
        for turn in range(rounds + 1):
            for commands, seconds in zip(sides, spent):
                prepare()
                seconds.append(seconds_of(commands[turn % len(commands)], null.fileno()))
    return [seconds[1:] for seconds in spent]


def ratios(ours, theirs):
    """Returns the ratio of the fastest runs, and the median ratio over the rounds."""
    rounds = [other / our for our, other in zip(ours, theirs)]
    return min(theirs) / min(ours), statistics.median(rounds)


def peak_memory(command):
    """Returns the maximum resident memory of a command and the processes that it waits for, in bytes.

    GNU time is small. `wait4` also counts the memory that a child shares with its parent before `exec`, here Python's.
    """
    with tempfile.NamedTemporaryFile("r") as said:
        answered = answer(["time", "--quiet", "--format", "%M", "--output", said.name, *command])
        assert answered.returncode == 0, f"{command}: {complaint(answered)}"
        return int(said.read()) * 1024


def bytes_moved(command):
    """Returns the bytes that a command and the processes that it waits for read, write, and read from the disk. Mapped
    files are counted only in the last number."""
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
