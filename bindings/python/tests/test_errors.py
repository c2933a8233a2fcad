"""Exceptions."""

import errno
import io
import os
import pickle
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sectile
from conftest import HOSTILE, PREAMBLE, as_another_user, component, module

READERS: list[Callable[..., object]] = [
    sectile.read,
    sectile.packages,
    sectile.sections,
    sectile.digest,
    sectile.sbom,
    sectile.check,
    lambda path: sectile.diff(path, PREAMBLE),
    sectile.strip,
    lambda path: sectile.edit(path, name="new"),
]


@pytest.mark.parametrize("read", READERS)
def test_a_missing_file_is_a_file_not_found_error(read: Callable[..., object], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        read(tmp_path / "missing.wasm")
    assert raised.value.errno == errno.ENOENT
    assert raised.value.filename == str(tmp_path / "missing.wasm")
    assert "os error" not in str(raised.value)


@pytest.mark.parametrize("read", READERS)
def test_a_directory_is_an_is_a_directory_error(read: Callable[..., object], tmp_path: Path) -> None:
    with pytest.raises(OSError) as raised:
        read(tmp_path)
    assert not isinstance(raised.value, FileNotFoundError)


def test_reading_a_directory_names_it(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as raised:
        sectile.read(tmp_path)
    assert raised.value.filename == str(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("read", READERS)
def test_a_forbidden_file_is_a_permission_error(read: Callable[..., object], tmp_path: Path) -> None:
    file = tmp_path / "app.wasm"
    file.write_bytes(PREAMBLE)
    file.chmod(0)
    with as_another_user(), pytest.raises(PermissionError) as raised:
        read(file)
    assert raised.value.errno == errno.EACCES and raised.value.filename == str(file)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf_8_are_paths(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/latin-\xf6.wasm"
    path = os.fsdecode(name)
    Path(path).write_bytes(module(licenses="MIT"))
    for given in (path, Path(path)):
        assert sectile.read(given).root.licenses == "MIT"
    assert sectile.edit(path, set={"licenses": "0BSD"})
    (row,) = sectile.audit(name)
    assert row["file_raw"] == name and row["licenses"] == "0BSD"
    assert sectile.diff_reports(path, path).equal
    Path(path).unlink()
    for read in READERS:
        with pytest.raises(FileNotFoundError) as raised:
            read(path)
        assert raised.value.filename == path


def test_a_path_through_a_file_is_a_not_a_directory_error(tmp_path: Path) -> None:
    file = tmp_path / "app.wasm"
    file.write_bytes(PREAMBLE)
    with pytest.raises(NotADirectoryError):
        sectile.read(file / "nested.wasm")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")
def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="is a FIFO"):
        sectile.read(tmp_path / "fifo")


def test_editing_a_read_only_file_is_a_permission_error(tmp_path: Path) -> None:
    file = tmp_path / "app.wasm"
    file.write_bytes(PREAMBLE)
    file.chmod(stat.S_IRUSR)
    with pytest.raises(PermissionError, match="read-only"):
        sectile.edit(file, name="new")
    assert file.read_bytes() == PREAMBLE
    assert sectile.edit(file, name="new", force=True)


def test_a_fault_has_its_offset_and_its_item() -> None:
    data = component(module(licenses="MIT"), module(licenses="MIT")[:-1] + b"\0\x7f")
    with pytest.raises(sectile.SectileError) as raised:
        sectile.read(data)
    error = raised.value
    assert error.item_path == "1" and error.offset is not None and 0 < error.offset <= len(data)
    assert hex(error.offset) in str(error)
    assert error.partial is not None and not error.partial.is_complete
    assert error.partial.items[1].licenses == "MIT" and not error.partial.root.is_complete


def test_an_input_that_is_not_wasm_has_no_partial() -> None:
    with pytest.raises(sectile.SectileError, match="looks like an ELF binary") as raised:
        sectile.read(HOSTILE["not-wasm"])
    assert raised.value.partial is None and raised.value.offset == 0
    assert isinstance(raised.value, ValueError)


def test_an_error_can_be_sent_to_another_process() -> None:
    with pytest.raises(sectile.SectileError) as raised:
        sectile.read(HOSTILE["cut"])
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (str(copy), copy.offset, copy.item_path, copy.partial) == (
        str(raised.value),
        raised.value.offset,
        "",
        None,
    )


def test_an_invalid_policy_has_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('refuse = "error"\n[[licences]]\n')
    loads: list[Callable[[], object]] = [
        lambda: sectile.Policy(file),
        lambda: sectile.Policy.parse(file.read_text()),
        lambda: sectile.check(PREAMBLE, file),
        lambda: sectile.diff(PREAMBLE, PREAMBLE, file),
        lambda: sectile.diff_reports(tmp_path, tmp_path, file),
        lambda: sectile.audit(tmp_path, file),
    ]
    for load in loads:
        with pytest.raises(sectile.SectileError) as raised:
            load()
        assert (raised.value.line, raised.value.column, raised.value.offset) == (2, 3, None)
    with pytest.raises(FileNotFoundError):
        sectile.Policy(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"set": {"license": "MIT"}}, "unknown field `license`: use one of authors, created"),
        ({"set": {"licenses": "Apache2"}}, "Apache2"),
        ({"set": {"vendor": "a"}, "unset": ["vendor"]}, "twice"),
        ({"unset": ["licence"]}, "unknown field"),
        ({"set": {"vendor": "a\0b"}}, "control or bidirectional"),
        ({"item": "x"}, "x"),
        ({"item": "7", "name": "new"}, "item 7 does not exist"),
        ({"put": {"": b""}}, "1 to 100,000 bytes"),
    ],
)
def test_an_invalid_edit_is_an_error(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(sectile.SectileError, match=message):
        sectile.edit(PREAMBLE, **arguments)  # type: ignore[call-overload]


def test_arguments_of_other_types_are_type_errors() -> None:
    for source in (None, 7, 1.5, [1], {}, object(), io.StringIO("text")):
        with pytest.raises(TypeError):
            sectile.read(source)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="list of `str`"):
        sectile.edit(PREAMBLE, remove="name*")
    with pytest.raises(TypeError):
        sectile.edit(PREAMBLE, set={"vendor": b"bytes"})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="give its path or its bytes"):
        sectile.edit(io.BytesIO(PREAMBLE), name="new")  # type: ignore[call-overload]
    with pytest.raises(sectile.SectileError, match="unknown format"):
        sectile.sbom(PREAMBLE, "xml")
    with pytest.raises(sectile.SectileError):
        sectile.sbom(PREAMBLE, created="yesterday")
    with pytest.raises(sectile.SectileError):
        sectile.read("a\0b")


class Broken(io.BytesIO):
    """A file whose reads fail."""

    def __init__(self, result: object) -> None:
        super().__init__(PREAMBLE)
        self.result = result

    def read(self, size: int | None = -1, /) -> bytes:
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result  # type: ignore[return-value]


@pytest.mark.parametrize("raised", [KeyError("x"), InterruptedError(), KeyboardInterrupt(), MemoryError()])
def test_an_exception_of_a_file_object_is_raised_as_it_is(raised: BaseException) -> None:
    for read in READERS[:-2]:
        with pytest.raises(type(raised)) as caught:
            read(Broken(raised))
        assert caught.value is raised


@pytest.mark.parametrize("result", [None, "text", bytearray(b"x"), 7, b"x" * 1000])
def test_a_file_object_that_returns_nonsense_is_an_error(result: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        sectile.read(Broken(result))


def test_a_file_object_that_ends_early_is_an_error() -> None:
    with pytest.raises(OSError, match="shrank"):
        sectile.read(Broken(b""))
