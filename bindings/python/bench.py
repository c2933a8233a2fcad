"""Compares the package with the Rust library on the same files, on one thread.

Usage: python bench.py READ_RATE FILE…  (README.md tells how to build the program READ_RATE)

READ_RATE reads each FILE a number of times with `sectile::read`, and prints nanoseconds per read.
"""

from __future__ import annotations

import subprocess
import sys
import time

import sectile

ROUNDS = 7
READS = 20_000


def python_time(files: list[str]) -> float:
    """Nanoseconds of a read in a plain loop."""
    read = sectile.read
    start = time.perf_counter_ns()
    for _ in range(READS // len(files)):
        for file in files:
            read(file)
    return (time.perf_counter_ns() - start) / (READS // len(files) * len(files))


def rust_time(program: str, files: list[str]) -> float:
    """Nanoseconds of a read in Rust."""
    return float(subprocess.run([program, str(READS), *files], capture_output=True, check=True, text=True).stdout)


def main() -> None:
    program, *files = sys.argv[1:]
    python_time(files)
    pairs = sorted((python_time(files), rust_time(program, files)) for _ in range(ROUNDS))
    ratios = sorted(python / rust for python, rust in pairs)
    python, rust = pairs[ROUNDS // 2]
    print(f"read: Python {python / 1000:.2f} µs, Rust {rust / 1000:.2f} µs, ratio {ratios[ROUNDS // 2]:.2f} (median)")


if __name__ == "__main__":
    main()
