"""Threads, processes and signals."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import sectile
from conftest import FILES, PREAMBLE, assert_ctrl_c_stops


def summarize(path: Path) -> tuple[str, str, tuple[sectile.Package, ...]]:
    """What a worker returns."""
    return sectile.read(path).to_json(), sectile.digest(path).file, tuple(sectile.packages(path, recovered=True))


def fail(path: Path) -> None:
    """Raises in a worker."""
    sectile.read(path.read_bytes()[:-1] + b"\0\x7f")


def test_threads_read_the_same() -> None:
    expected = [summarize(path) for path in FILES]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(summarize, FILES)) == expected


def test_threads_share_metadata() -> None:
    metadata = [sectile.read(path) for path in FILES]
    expected = [one.to_json() for one in metadata]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sectile.Metadata.to_json, metadata * 8)) == expected * 8


def test_spawned_processes_return_records_and_errors() -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(summarize, FILES[:4])) == [summarize(path) for path in FILES[:4]]
        with pytest.raises(sectile.SectileError) as raised:
            pool.submit(fail, FILES[0]).result()
        assert raised.value.offset and raised.value.partial is None


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A module that takes seconds to digest. Its data section is a hole in the file."""
    size = (1 << 32) - 1
    file = tmp_path / "large.wasm"
    header = PREAMBLE + b"\x0b\xff\xff\xff\xff\x0f"
    file.write_bytes(header)
    os.truncate(file, len(header) + size)
    return file


def test_other_threads_run_while_a_file_is_digested(large: Path) -> None:
    ticks, done = 0, threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.wait(0.001):
            ticks += 1

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.perf_counter()
    sectile.sections(large)
    os.truncate(large, 32 << 20)
    with pytest.raises(sectile.SectileError):
        sectile.digest(large)
    elapsed = time.perf_counter() - start
    done.set()
    ticker.join()
    assert ticks > elapsed * 10  # a held lock would allow none


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_stops_a_long_call(large: Path) -> None:
    assert_ctrl_c_stops(f"sectile.digest({str(large)!r})")
