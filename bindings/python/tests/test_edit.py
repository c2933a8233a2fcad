"""Edits."""

import pickle
from pathlib import Path

import pytest

import sectile
from conftest import PREAMBLE, component, custom, module


def test_every_operation_of_an_edit() -> None:
    producers = custom("producers", b"\x01\x08language\x01\x04Rust\0")
    data = module(vendor="old", authors="me") + producers + custom(".debug_info", b"x") + custom("name", b"\0\x04\x03old")
    new, changes = sectile.edit(
        data,
        set={"vendor": "new"},
        unset=iter(["authors", "name"]),
        producers=[("sdk", "Kit", "1")],
        drop_producers=[("language", "Rust")],
        put={"mine": b"\xff"},
        remove=[".debug*"],
    )
    root = sectile.read(new).root
    assert root.annotations == {"vendor": "new"} and root.name is None
    assert root.producers == {"sdk": [("Kit", "1")]}
    names = [section.name for section in sectile.sections(new)]
    assert "mine" in names and ".debug_info" not in names
    assert {change.section: change.kind for change in changes}["mine"] == "added"
    assert all(new is not None and change.path == "" for change in changes)


def test_a_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "app.wasm"
    file.write_bytes(PREAMBLE)
    inode = file.stat().st_ino
    changes = sectile.edit(file, set={"licenses": "MIT"})
    assert file.stat().st_ino != inode and sectile.read(file).root.licenses == "MIT"
    assert [(change.section, change.kind, change.before) for change in changes] == [("licenses", "added", 0)]
    assert not sectile.edit(str(file), set={"licenses": "MIT"})
    assert list(tmp_path.iterdir()) == [file]


def test_a_nested_item_is_edited() -> None:
    new, changes = sectile.edit(component(module(), module()), item="1", set={"vendor": "Acme"})
    assert [item.vendor for item in sectile.read(new).items] == [None, None, "Acme"]
    assert changes[0].path == "1"


def test_an_invalid_value_is_written_only_if_it_is_allowed() -> None:
    with pytest.raises(sectile.SectileError):
        sectile.edit(PREAMBLE, set={"licenses": "Apache2"})
    new, _ = sectile.edit(PREAMBLE, set={"licenses": "Apache2"}, allow_invalid=True)
    assert sectile.read(new).root.licenses == "Apache2"


def test_warnings_are_among_the_changes() -> None:
    signed = module() + custom("signature", b"\0")
    _, changes = sectile.edit(signed, set={"vendor": "Acme"})
    assert [finding.severity for finding in changes.findings] and all(changes.findings)
    copy = pickle.loads(pickle.dumps(changes))
    assert copy == changes and copy.findings == changes.findings and copy.to_json() == changes.to_json()


def test_stripping_selects_sections() -> None:
    data = module(vendor="a") + custom(".debug_info", b"x") + custom("name", b"\0\x04\x03old") + custom("other", b"")
    kept = {section.name for section in sectile.sections(sectile.strip(data)[0])}
    assert kept == {"vendor", "name", "other"}
    kept = {section.name for section in sectile.sections(sectile.strip(data, keep=[".debug*"])[0])}
    assert ".debug_info" in kept
    nested = component(data, data)
    one = sectile.sections(sectile.strip(nested, item="1")[0])
    assert [section.path for section in one if section.name == ".debug_info"] == ["0"]
    assert len(sectile.strip(data, all=True, names=True)[0]) < len(sectile.strip(data)[0])


def test_the_same_bytes_may_be_edited_by_many_names() -> None:
    for source in (bytearray(PREAMBLE), memoryview(PREAMBLE)):
        new, changes = sectile.edit(source, name="app")
        assert isinstance(new, bytes) and len(changes) == 1 and bytes(source) == PREAMBLE
