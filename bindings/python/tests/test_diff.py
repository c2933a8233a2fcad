"""Comparisons."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import sectile
from conftest import ADVISORIES, FILES, HOSTILE, PREAMBLE, crates, custom, module

Command = Callable[..., bytes]


@pytest.mark.parametrize("content", [False, True])
def test_a_comparison_is_the_document_of_the_command(content: bool, tmp_path: Path, command: Command) -> None:
    hostile = []
    for name, data in HOSTILE.items():
        hostile.append(tmp_path / f"{name}.wasm")
        hostile[-1].write_bytes(data)
    arguments = ["--content"] if content else []
    files = [*FILES, *hostile]
    for old, new in zip(files, [*files[1:], files[0]], strict=True):
        expected = command("diff", "--json", *arguments, old, new).decode()
        try:
            comparison = sectile.diff(old, new, content=content)
        except sectile.SectileError:
            assert not expected
        else:
            assert comparison.to_json() + "\n" == expected


def test_differences_have_their_values() -> None:
    old, new = module(licenses="MIT", vendor="Acme") + custom("notes", b"1234"), module(licenses="0BSD")
    comparison = sectile.diff(old, new)
    assert not comparison.equal and comparison.complete and comparison.content_equal is None
    values = {(one.aspect, one.name): (one.old, one.new) for one in comparison.differences}
    assert values["field", "licenses"] == ("MIT", "0BSD") and values["field", "vendor"] == ("Acme", None)
    assert values["section", "notes"] == (sectile.SectionSizes(1, 12, None), None)
    assert str(next(one for one in comparison.differences if one.name == "licenses")) == "licenses: MIT → 0BSD"
    assert pickle.loads(pickle.dumps(comparison)) == comparison


def test_content_is_compared_without_custom_sections() -> None:
    assert sectile.diff(PREAMBLE, module(licenses="MIT"), content=True).content_equal
    assert sectile.diff(PREAMBLE, PREAMBLE, content=True).equal
    assert sectile.diff(PREAMBLE, PREAMBLE + b"\1\1\0", content=True).content_equal is False


def test_advisories_are_differences() -> None:
    comparison = sectile.diff(crates(smallvec="1.6.0"), crates(smallvec="1.13.2"), advisories=ADVISORIES)
    assert ("advisory", "RUSTSEC-2021-0003") in [(one.aspect, one.name) for one in comparison.differences if one.new is None]


def test_a_source_that_is_not_wasm_is_an_error() -> None:
    with pytest.raises(sectile.SectileError):
        sectile.diff(PREAMBLE, b"ELF")
