"""Input binaries: the corpus, and small ones built byte by byte; and an independent reader of their sections."""

import os
import sys

from .tools import ROOT

CORPUS = ROOT / "benches/corpus/files"
OPENCASCADE = "opencascade.wasm"
RUBY_DEBUG = "ruby.debug-stdlib.wasm"
ESBUILD = "esbuild.wasm"
DUCKDB = "duckdb-mvp.wasm"
COMPONENT = "componentize-py.component.wasm"
LARGE = [OPENCASCADE, RUBY_DEBUG, DUCKDB, COMPONENT]

CODE, DATA = 10, 11
MODULE_PREAMBLE = b"\0asm\x01\0\0\0"
COMPONENT_PREAMBLE = b"\0asm\x0d\0\x01\0"


def corpus():
    """Returns the files of the corpus, smallest first."""
    files = sorted(CORPUS.glob("*.wasm"), key=lambda file: (file.stat().st_size, file.name))
    if not {file.name for file in files} >= {*LARGE, ESBUILD}:
        sys.exit("compare: the corpus is missing: run benches/corpus/fetch")
    return files


def small(name):
    """Returns a small binary from the tests."""
    return (ROOT / "tests/files" / name).read_bytes()


def leb128(number, width=0):
    """Encodes a number, padded to `width` bytes."""
    out = bytearray()
    while number >= 0x80 or len(out) + 1 < width:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def prefixed(data):
    data = data.encode() if isinstance(data, str) else data
    return leb128(len(data)) + data


def section(number, payload, width=0):
    return bytes([number]) + leb128(len(payload), width) + payload


def custom(name, data, width=0):
    data = data.encode() if isinstance(data, str) else data
    return section(0, prefixed(name) + data, width)


def producers(*fields):
    """Returns the data of a `producers` section. Each field is (name, [(name, version), …])."""
    data = leb128(len(fields))
    for field, values in fields:
        data += prefixed(field) + leb128(len(values))
        data += b"".join(prefixed(name) + prefixed(version) for name, version in values)
    return data


def module(*sections):
    return MODULE_PREAMBLE + b"".join(sections)


def component(*sections):
    return COMPONENT_PREAMBLE + b"".join(sections)


def nested(binary):
    """Returns a section of a component that contains a module or a component."""
    return section(1 if binary.startswith(MODULE_PREAMBLE) else 4, binary)


def of_sections(count):
    """Returns a module with `count` small custom sections."""
    filling = custom("note", b"of no meaning")
    return module(filling * (count - 2), custom("name", section(0, prefixed("like"))),
                  custom("producers", producers(("language", [("Rust", "")]))))


def write_6_gibibytes(path):
    """Writes a module whose code and data are holes in the file."""
    with open(path, "wb") as file:
        file.write(MODULE_PREAMBLE)
        for number, size in [(CODE, 3_900_000_000), (DATA, 2_540_000_000)]:
            file.write(bytes([number]) + leb128(size))
            file.seek(size, os.SEEK_CUR)
        file.write(custom("producers", producers(("language", [("Rust", "")]))))
    held = os.stat(path).st_blocks * 512
    assert held < 1 << 20, f"{held} bytes: this file system does not support sparse files"


def sections_of(binary):
    """Returns (id, name or None, data, width of the size) for each section of the root item.

    This reader is independent, so that no tool judges its own output.
    """
    found, at = [], 8
    while at < len(binary):
        number, at = binary[at], at + 1
        size, start = number_at(binary, at)
        width, end, name = start - at, start + size, None
        if number == 0:
            length, start = number_at(binary, start)
            name, start = binary[start:start + length].decode(), start + length
        assert start <= end <= len(binary), "the section ends after its parent"
        found.append((number, name, binary[start:end], width))
        at = end
    return found


def number_at(binary, at):
    number = shift = 0
    while True:
        byte, at = binary[at], at + 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at
