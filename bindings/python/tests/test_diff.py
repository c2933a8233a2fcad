"""Comparisons."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import sectile
from conftest import ADVISORIES, FILES, HOSTILE, PREAMBLE, as_another_user, crates, custom, module

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


def test_sets_are_compared_as_the_command_compares_them(tmp_path: Path, command: Command) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for directory in (old, new):
        directory.mkdir()
        (directory / "same.wasm").write_bytes(module(licenses="MIT"))
        (directory / "cut.wasm").write_bytes(HOSTILE["cut"])
    (old / "gone.wasm").write_bytes(PREAMBLE)
    (old / "changed.wasm").write_bytes(crates(smallvec="1.6.0"))
    (new / "changed.wasm").write_bytes(crates(smallvec="1.13.2"))
    (new / "new.wasm").write_bytes(PREAMBLE)
    for side in (old, new):
        for suffix in ("parquet", "jsonl"):
            command("audit", side, "-o", side.with_suffix(f".{suffix}"), "--advisories", ADVISORIES)
    sides = [(old, new), *((old.with_suffix(end), new.with_suffix(end)) for end in (".parquet", ".jsonl"))]
    for left, right in [*sides, (old, sides[1][1]), (sides[2][0], new), (new / "new.wasm", old), (old / "gone.wasm", new / "new.wasm")]:
        comparison = sectile.diff_reports(left, right, advisories=ADVISORIES)
        if left.is_dir() or right.is_dir() or left.suffix != ".wasm":
            assert comparison.to_json() + "\n" == command("diff", "--json", left, right, "--advisories", ADVISORIES).decode()
    comparison = sectile.diff_reports(old, new, advisories=ADVISORIES)
    assert not comparison.equal and not comparison.complete
    assert comparison.counts == {"new": 1, "gone": 1, "changed": 1, "unchanged": 2, "new_findings": 0, "gone_findings": 1}
    states = {change.state: change for change in comparison.changes}
    assert sorted(states) == ["changed", "gone", "new"]
    assert states["gone"].old == str(old / "gone.wasm") and states["gone"].new is None and not states["gone"].differences
    assert ("advisory", "RUSTSEC-2021-0003") in [(one.aspect, one.name) for one in states["changed"].differences]
    assert pickle.loads(pickle.dumps(comparison)) == comparison
    same = sectile.diff_reports(old, old)
    assert same.equal and not same.changes and same.counts["unchanged"] == 4


def test_sets_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    for old, new in ((tmp_path / "missing", tmp_path), (tmp_path, tmp_path / "missing")):
        with pytest.raises(FileNotFoundError) as missing:
            sectile.diff_reports(old, new)
        assert missing.value.filename == str(tmp_path / "missing")
    report = tmp_path / "report.jsonl"
    report.write_text('{"schema":1,"audit":{}}\n')
    with pytest.raises(sectile.SectileError, match="has schema 1"):
        sectile.diff_reports(report, tmp_path)
    report.chmod(0)
    with as_another_user(), pytest.raises(PermissionError):
        sectile.diff_reports(report, report)
    not_wasm: object
    for not_wasm in (b"bytes", 3, None):
        with pytest.raises((TypeError, OSError)):
            sectile.diff_reports(not_wasm, tmp_path)  # type: ignore[arg-type]
