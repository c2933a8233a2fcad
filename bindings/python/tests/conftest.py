"""Inputs and programs for the tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
FILES = sorted(path for path in (PROJECT / "tests/files").iterdir() if path.suffix in {".wasm", ".o"})
ADVISORIES = PROJECT / "crates/sectile-advisories/tests/advisory-db"
PREAMBLE = b"\0asm\x01\0\0\0"
COMPONENT = b"\0asm\x0d\0\x01\0"


def leb128(number: int) -> bytes:
    """Encodes an unsigned number."""
    encoded = b""
    while number >= 0x80:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


def section(id: int, payload: bytes) -> bytes:
    """Encodes a section."""
    return bytes([id]) + leb128(len(payload)) + payload


def custom(name: str, data: bytes) -> bytes:
    """Encodes a custom section."""
    encoded = name.encode()
    return section(0, leb128(len(encoded)) + encoded + data)


def module(**annotations: str) -> bytes:
    """Encodes a module with annotations."""
    return PREAMBLE + b"".join(custom(field, value.encode()) for field, value in annotations.items())


def crates(**versions: str) -> bytes:
    """Encodes a module with a list of crates, as cargo-auditable writes it."""
    packages = [{"name": name, "version": version, "source": "crates.io"} for name, version in versions.items()]
    return PREAMBLE + custom(".dep-v0", zlib.compress(json.dumps({"packages": packages}).encode()))


def recovered(name: str, version: str) -> bytes:
    """Encodes a module whose data names a crate, as the messages of panics do."""
    path = f"/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/{name}-{version}/src/lib.rs\0".encode()
    return PREAMBLE + section(5, b"\1\0\1") + section(11, b"\1\0\x41\0\x0b" + leb128(len(path)) + path)


def component(*items: bytes) -> bytes:
    """Encodes a component of modules and components."""
    return COMPONENT + b"".join(section(4 if item.startswith(COMPONENT) else 1, item) for item in items)


# Inputs that are not valid, or only just.
HOSTILE = {
    "empty": b"",
    "not-wasm": b"\x7fELF\x02\x01\x01\0",
    "short": PREAMBLE[:5],
    "version": b"\0asm\x07\0\0\0",
    "cut": module(licenses="MIT") + b"\x0a\x7f",
    "size": PREAMBLE + b"\0\xff\xff\xff\xff\xff\xff",
    "latin-1": PREAMBLE + custom("authors", b"J\xf6rg"),
    "twice": PREAMBLE + custom("licenses", b"MIT") + custom("licenses", b"Apache-2.0"),
    "license": module(licenses="Apache2"),
    "name": PREAMBLE + section(0, b"\x05\xff\xfe"),
    "bidi": module(vendor="\u202eevil\u202c \x1b[31m"),
    "dependencies": PREAMBLE + custom(".dep-v0", b"\x78\x9c\0\0"),
    "producers": PREAMBLE + custom("producers", b"\x01\x08language\xff\x7f"),
    "nested": component(module(vendor="a"), component(module(vendor="b"), b"\0asm"), module()),
    "deep": b"".join(COMPONENT + b"\x04\xff\xff\xff\x7f" for _ in range(1000)),
    "many": PREAMBLE + b"\0\x02\x01\xff" * 10_000,
}


@contextlib.contextmanager
def as_another_user() -> Iterator[None]:
    """Runs without the rights of root, who may read everything."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def assert_ctrl_c_stops(call: str, delay: float = 0.3) -> None:
    """Interrupts a call in another process while it runs."""
    code = f"import sectile; print('ready', flush=True); {call}"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        start = time.perf_counter()
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.stderr.read()
        process.wait()
        assert time.perf_counter() - start < 10


@pytest.fixture(scope="session")
def command() -> Callable[..., bytes]:
    """Runs the command `sectile`, and returns its standard output."""
    program = os.environ.get("SECTILE", str(PROJECT / "target/debug/sectile"))

    def run(*arguments: str | bytes | os.PathLike[str], stdin: bytes | None = None) -> bytes:
        environment = {**os.environ, "NO_COLOR": "1"}
        return subprocess.run([program, *arguments], input=stdin, capture_output=True, env=environment, check=False).stdout

    return run
