"""Reading metadata."""

import io
import json
import mmap
from pathlib import Path

import pytest

import sectile
from conftest import FILES, PREAMBLE, component, custom, module, section

NAMED = PREAMBLE + custom("name", b"\0\x04\x03app") + custom("licenses", b"MIT")


def test_the_root_has_an_attribute_for_each_field() -> None:
    values = dict.fromkeys(sectile.FIELDS, "text")
    root = sectile.read(module(**values)).root
    assert {field: getattr(root, field) for field in sectile.FIELDS} == values
    assert root.annotations == values
    assert [getattr(sectile.read(PREAMBLE).root, field) for field in sectile.FIELDS] == [None] * len(sectile.FIELDS)
    assert all(getattr(sectile.Item, field).__doc__ for field in sectile.FIELDS)


def test_every_kind_of_source_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "app.wasm"
    file.write_bytes(NAMED)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        sources = [
            file,
            str(file),
            NAMED,
            bytearray(NAMED),
            memoryview(b"xx" + NAMED)[2:],
            io.BytesIO(NAMED),
            opened,
            mapped,
        ]
        for source in sources:
            metadata = sectile.read(source)  # type: ignore[arg-type]
            assert (metadata.root.name, metadata.root.licenses, metadata.size) == ("app", "MIT", len(NAMED)), source
            assert metadata.is_complete and metadata.bytes_read == len(NAMED)


def test_the_position_of_a_file_object_is_kept() -> None:
    source = io.BytesIO(NAMED)
    source.seek(7)
    sectile.read(source)
    assert source.tell() == 7
    with pytest.raises(sectile.SectileError):
        sectile.read(broken := io.BytesIO(b"no"))
    assert broken.tell() == 0


def test_a_path_in_bytes_that_is_not_utf_8_is_read(tmp_path: Path) -> None:
    class Raw:
        def __fspath__(self) -> bytes:
            return bytes(tmp_path) + b"/\xff.wasm"

    with open(Raw(), "wb") as file:
        file.write(NAMED)
    metadata = sectile.read(Raw())
    assert metadata.root.name == "app"
    assert "base64" in json.loads(metadata.to_json())["file"]


def test_items_form_a_tree() -> None:
    data = component(module(vendor="a"), component(module(vendor="b")), module())
    metadata = sectile.read(data)
    assert [(item.path, item.kind, item.vendor) for item in metadata.items] == [
        ("", "component", None),
        ("0", "module", "a"),
        ("1", "component", None),
        ("1/0", "module", "b"),
        ("2", "module", None),
    ]
    root = metadata.root
    assert root == metadata.items[0] and hash(root) == hash(metadata.items[0]) and root != metadata.items[1]
    assert root.parent is None and all(child.parent == root for child in root.children)
    assert [child.path for child in root.children] == ["0", "1", "2"]
    assert [child.path for child in root.children[1].children] == ["1/0"] and not root.children[0].children
    assert metadata.item("0") == metadata.items[1] and metadata.item("9/9") is None
    for item in metadata.items:
        start, end = item.range
        assert sectile.read(memoryview(data)[start:end]).root.vendor == item.vendor
    assert root != object()


def test_values_that_are_not_utf_8_are_bytes() -> None:
    data = PREAMBLE + custom("authors", b"J\xf6rg")
    metadata = sectile.read(data)
    assert metadata.root.authors is None
    assert metadata.root.annotations == {"authors": b"J\xf6rg"}
    (finding,) = metadata.findings
    assert finding.code in sectile.FINDING_CODES and finding.section == "authors" and finding.path == ""
    assert sectile.FINDING_CODES[finding.code] == finding.severity and finding.count == 1
    assert finding.offset == data.index(b"\xf6")


def test_producers_and_dependencies_are_decoded() -> None:
    file = next(file for file in FILES if file.name == "rust-auditable.wasm")
    root = sectile.read(file).root
    assert root.producers == {"language": [("Rust", "")], "processed-by": [("rustc", "1.63.0")]}
    assert root.dependencies is not None
    adler = root.dependencies[0]
    assert (adler.name, adler.version, adler.source, adler.kind) == ("adler", "1.0.2", "crates.io", "runtime")
    (built,) = [package for package in root.dependencies if package.root]
    assert {root.dependencies[index].name for index in built.dependencies} >= {"adler"}
    assert sectile.read(PREAMBLE).root.dependencies is None


def test_debug_links_and_registry_metadata_are_read() -> None:
    url = b"app.debug.wasm"
    data = PREAMBLE + custom("external_debug_info", bytes([len(url)]) + url) + custom("registry-metadata", b'{"a":1}')
    root = sectile.read(data).root
    assert root.debug_links == [("external_debug_info", "app.debug.wasm")]
    assert root.registry_metadata == '{"a":1}'


def test_sections_are_listed_with_their_ranges() -> None:
    data = component(module(vendor="a")) + section(0, b"\x01x" + b"abc")
    outer, vendor, custom_section = sectile.sections(data)
    assert (outer.id, outer.path, outer.name) == (1, "", None)
    assert (vendor.kind, vendor.path, vendor.name) == ("custom", "0", "vendor")
    assert data[slice(*custom_section.data)] == b"abc"
    assert data[slice(*custom_section.payload)] == b"\x01xabc"
    assert slice(*custom_section.range) == slice(len(data) - 7, len(data))


def test_too_many_sections_are_an_error() -> None:
    with pytest.raises(sectile.SectileError, match="more than 1048576 sections"):
        sectile.sections(PREAMBLE + b"\0\x01\0" * ((1 << 20) + 1))


def test_digests_tell_content_from_metadata() -> None:
    bare, with_license = sectile.digest(PREAMBLE), sectile.digest(module(licenses="MIT"))
    assert bare.content == with_license.content and bare.file != with_license.file


def test_representations_name_the_source() -> None:
    metadata = sectile.read(NAMED)
    assert repr(metadata) == '<sectile.Metadata of "-": items=1, findings=0>'
    assert repr(metadata.root) == '<sectile.Item module "" "app">'
