"""Compares `sectile.read` with other parsers of WebAssembly from PyPI, per file, by processor time.

Usage: python parsers.py FILE…  (in an environment with `pip install blint wasm wasm_tools`)

Each parser does the least that it can: strings and call graphs are turned off. docs/scale.md has the results.
"""

from __future__ import annotations

import collections
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

collections.Callable = Callable  # type: ignore[attr-defined] # `wasm` was written for Python before 3.10
import wasm
import wasm_tools.api
from blint.lib.binary import parse

import sectile

ENOUGH = 0.05
"""Seconds of a measurement. A fast parser reads the file several times."""
ROUNDS = 3


def decode(file: str) -> None:
    """The sections of a module, as `wasm` decodes them."""
    for _ in wasm.decode_module(Path(file).read_bytes()):
        pass


PARSERS: dict[str, Callable[[str], object]] = {
    "sectile.read": sectile.read,
    "blint": lambda file: parse(file, wasm_strings=False, wasm_call_graph=False),
    "wasm_tools": lambda file: wasm_tools.api.parse_wasm_file(file, include_strings=False, include_call_graph=False),
    "wasm": decode,
}


def duration(parser: Callable[[str], object], file: str) -> float | None:
    """Seconds of a processor for a file, the best of some rounds; `None` if the parser fails."""
    best = float("inf")
    for _ in range(ROUNDS):
        start, reads = time.process_time(), 0
        while time.process_time() - start < ENOUGH:
            try:
                parser(file)
            except Exception:
                return None
            reads += 1
        best = min(best, (time.process_time() - start) / reads)
    return best


def main() -> None:
    files = sys.argv[1:]
    times = {name: [duration(parser, file) for file in files] for name, parser in PARSERS.items()}
    own = times["sectile.read"]
    print("| parser | files read | median per file | ratio of the totals | median ratio | lowest ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, taken in times.items():
        pairs = [(one, base) for one, base in zip(taken, own, strict=True) if one is not None and base is not None]
        ratios = sorted(one / base for one, base in pairs)
        median = statistics.median(one for one, _ in pairs)
        total = sum(one for one, _ in pairs) / sum(base for _, base in pairs)
        cells = [f"{ratio:,.0f} ×" for ratio in (total, statistics.median(ratios), ratios[0])]
        print(f"| `{name}` | {len(pairs)} of {len(files)} | {median * 1e6:,.1f} µs | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
