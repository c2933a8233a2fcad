"""No input of any kind causes anything but the documented exceptions."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import sectile
from conftest import HOSTILE, PREAMBLE, component, custom, section

# More examples than in CI: HYPOTHESIS_EXAMPLES=100000 pytest tests/test_boundary.py
EXAMPLES = settings(max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "300")), deadline=None)

names = st.sampled_from([*sectile.FIELDS, "name", "producers", ".dep-v0", "registry-metadata", "component-name", "linking"])
payloads = st.binary(max_size=40)
sections = st.one_of(
    st.builds(custom, names, payloads),
    st.builds(custom, st.text(max_size=5), payloads),
    st.builds(section, st.integers(0, 14), payloads),
    st.binary(max_size=8),
)
modules = st.builds(lambda parts: PREAMBLE + b"".join(parts), st.lists(sections, max_size=6))
components = st.recursive(
    modules,
    lambda items: st.builds(
        lambda nested, parts: component(*nested) + b"".join(parts), st.lists(items, max_size=3), st.lists(sections, max_size=3)
    ),
)
cut = st.builds(lambda data, end: data[: len(data) - end % (len(data) + 1)], components, st.integers(0, 60))
hostile = st.sampled_from(list(HOSTILE)).map(HOSTILE.__getitem__)
inputs = st.one_of(components, cut, st.binary(max_size=60), hostile)
texts = st.text(max_size=20)


def walk(metadata: sectile.Metadata) -> None:
    """Reads every attribute."""
    for item in metadata.items:
        for attribute in dir(item):
            getattr(item, attribute)
        assert item in metadata.items and metadata.item(item.path) == item
        start, end = item.range
        assert 0 <= start <= end and (end <= metadata.size or not metadata.is_complete)
        assert repr(item)
    for finding in metadata.findings:
        assert sectile.FINDING_CODES[finding.code] and metadata.item(finding.path)
        assert 0 <= finding.offset <= metadata.size
    assert metadata.to_json() and repr(metadata)


@EXAMPLES
@given(inputs)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for source in (data, io.BytesIO(data)):
        try:
            walk(sectile.read(source))
        except sectile.SectileError as error:
            assert str(error) and (error.offset is None or 0 <= error.offset <= len(data))
            if error.partial:
                walk(error.partial)


@EXAMPLES
@given(inputs, st.booleans(), st.sampled_from(sectile.SBOM_FORMATS))
def test_every_reader_agrees_that_bytes_are_valid(data: bytes, recovered: bool, format: str) -> None:
    readers: list[Callable[[], object]] = [
        lambda: sectile.read(data),
        lambda: sectile.packages(data, recovered=recovered),
        lambda: sectile.sections(data),
        lambda: sectile.digest(data),
        lambda: sectile.sbom(data, format, recovered=recovered),
    ]
    valid = set()
    for read in readers:
        try:
            read()
            valid.add(True)
        except sectile.SectileError:
            valid.add(False)
    assert valid == {sectile.check(data, recovered=recovered).complete}


@EXAMPLES
@given(inputs, inputs, st.booleans())
def test_any_two_sources_are_compared_or_refused(old: bytes, new: bytes, content: bool) -> None:
    try:
        comparison = sectile.diff(old, new, content=content)
    except sectile.SectileError:
        return
    assert comparison.complete == (sectile.check(old).complete and sectile.check(new).complete)
    assert not comparison.equal or old == new or not content
    assert comparison.to_json() and all(str(difference) for difference in comparison.differences)


@EXAMPLES
@given(
    inputs,
    st.dictionaries(st.one_of(st.sampled_from(sectile.FIELDS), texts), texts, max_size=3),
    st.lists(st.one_of(st.sampled_from([*sectile.FIELDS, "name", "producers"]), texts), max_size=2),
    st.one_of(st.none(), texts),
    st.lists(st.tuples(texts, texts, texts), max_size=2),
    st.dictionaries(texts, payloads, max_size=2),
    st.lists(st.one_of(st.sampled_from(["*", ".debug*", "[", "lic*"]), texts), max_size=2),
    st.sampled_from(["", "0", "0/0", "7"]),
    st.booleans(),
)
@example(PREAMBLE, {"licenses": "MIT"}, [], "\ud800", [], {}, [], "", True)
def test_any_edit_is_made_or_refused(
    data: bytes,
    set: dict[str, str],
    unset: list[str],
    name: str | None,
    producers: list[tuple[str, str, str]],
    put: dict[str, bytes],
    remove: list[str],
    item: str,
    allow: bool,
) -> None:
    keywords: dict[str, Any] = {"set": set, "unset": unset, "name": name, "producers": producers, "put": put, "remove": remove}
    try:
        new, changes = sectile.edit(data, **keywords, item=item, allow_invalid=allow, force=allow)
    except (sectile.SectileError, UnicodeEncodeError):  # lone surrogates are not text
        return
    walk(sectile.read(new))
    assert (new == data) == (not changes)


@EXAMPLES
@given(st.text(max_size=200))
@example('[[required]]\nfields = "licenses"\n')
def test_any_policy_is_parsed_or_refused(text: str) -> None:
    try:
        sectile.check(PREAMBLE, sectile.Policy.parse(text))
    except sectile.SectileError as error:
        assert (error.line is None) == (error.column is None)
    except UnicodeEncodeError:
        pass


@EXAMPLES
@given(st.lists(st.one_of(st.none(), st.binary(max_size=20), st.integers(), st.text(max_size=3)), max_size=5), st.integers(-5, 40))
def test_any_file_object_is_read_or_refused(results: list[object], size: int) -> None:
    class File:
        """Returns anything."""

        def tell(self) -> int:
            return size

        def seek(self, offset: int, whence: int) -> None:
            pass

        def read(self, length: int) -> object:
            return results.pop() if results else b""

    try:
        sectile.read(File())  # type: ignore[arg-type]
    except (ValueError, TypeError, OSError, OverflowError):
        pass


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython has sub-interpreters")
def test_a_sub_interpreter_gets_a_clear_error() -> None:
    code = """
import sectile
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
failure = interpreters.run_string(interpreters.create(), "import sectile")  # raises before Python 3.13
raise SystemExit(failure.formatted if failure else 0)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "do not yet support subinterpreters" in run.stderr, run.stderr
