"""Binaries: those of the corpus, and small ones written out byte by byte; and what stands in one, by a reader of its own."""

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
    """The files of the corpus, the smallest first."""
    files = sorted(CORPUS.glob("*.wasm"), key=lambda file: (file.stat().st_size, file.name))
    if not {file.name for file in files} >= {*LARGE, ESBUILD}:
        sys.exit("compare: the corpus is not there: run benches/corpus/fetch")
    return files


def small(name):
    """A small binary of the tests'."""
    return (ROOT / "tests/files" / name).read_bytes()


def leb128(number, width=0):
    """A number; padded to so many bytes."""
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
    """The data of a section of producers: (field, [(name, version), …]) each."""
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
    """A section of a component that holds a module or a component."""
    return section(1 if binary.startswith(MODULE_PREAMBLE) else 4, binary)


def of_sections(count):
    """A module of so many custom sections, all small."""
    filling = custom("note", b"of no meaning")
    return module(filling * (count - 2), custom("name", section(0, prefixed("like"))),
                  custom("producers", producers(("language", [("Rust", "")]))))


def write_6_gibibytes(path):
    """A module whose code and data are holes in the file."""
    with open(path, "wb") as file:
        file.write(MODULE_PREAMBLE)
        for number, size in [(CODE, 3_900_000_000), (DATA, 2_540_000_000)]:
            file.write(bytes([number]) + leb128(size))
            file.seek(size, os.SEEK_CUR)
        file.write(custom("producers", producers(("language", [("Rust", "")]))))
    held = os.stat(path).st_blocks * 512
    assert held < 1 << 20, f"{held} bytes on this file system, which knows no holes"


def sections_of(binary):
    """(id, name or None, data, width of the size) of each section of the root item.

    By a reader of its own, so that neither Sectile nor a peer is asked what Sectile or a peer has done.
    """
    found, at = [], 8
    while at < len(binary):
        number, at = binary[at], at + 1
        size, start = number_at(binary, at)
        width, end, name = start - at, start + size, None
        if number == 0:
            length, start = number_at(binary, start)
            name, start = binary[start:start + length].decode(), start + length
        assert start <= end <= len(binary), "the section is longer than what holds it"
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
