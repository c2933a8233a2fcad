"""Compares the package with the Rust library on the same files, on one thread, by processor time.

Usage: python bench.py READ_RATE FILE…  (README.md tells how to build the program READ_RATE)

READ_RATE reads each FILE a number of times with `sectile::read`.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

import sectile

ROUNDS = 7
READS = 20_000


def python_time(files: list[str]) -> float:
    """Nanoseconds of a read in a plain loop."""
    read = sectile.read
    start = time.process_time_ns()
    for _ in range(READS // len(files)):
        for file in files:
            read(file)
    return (time.process_time_ns() - start) / (READS // len(files) * len(files))


def rust_time(program: str, files: list[str]) -> float:
    """Nanoseconds of a read in Rust."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, str(READS), *files], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds * 1e9 / (READS // len(files) * len(files))


def main() -> None:
    program, *files = sys.argv[1:]
    python_time(files)
    pairs = [(python_time(files), rust_time(program, files)) for _ in range(ROUNDS)]
    python, rust = (statistics.median(times) / 1000 for times in zip(*pairs, strict=True))
    ratio = statistics.median(python / rust for python, rust in pairs)
    print(f"read: Python {python:.2f} µs, Rust {rust:.2f} µs, ratio {ratio:.2f} (medians of {ROUNDS} rounds)")


if __name__ == "__main__":
    main()
