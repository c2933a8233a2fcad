"""The functions return the same documents as the command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sectile
from conftest import FILES, HOSTILE, PROJECT

Command = Callable[..., bytes]
POLICY = """
[[required]]
items = "root"
fields = ["licenses", "name"]

[[producers]]
items = "all"
fields = "language"
names = "Rust"

[[sections]]
names = "name"
severity = "warning"
"""


@pytest.fixture(params=[*FILES, *HOSTILE], ids=lambda source: getattr(source, "name", source))
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Each binary of the project, and each hostile input."""
    if isinstance(request.param, Path):
        return request.param
    path = tmp_path / f"{request.param}.wasm"
    path.write_bytes(HOSTILE[request.param])
    return path


def read_all(source: object) -> sectile.Metadata | None:
    """The metadata, up to a fault if there is one."""
    try:
        return sectile.read(source)  # type: ignore[arg-type]
    except sectile.SectileError as error:
        return error.partial


def test_metadata_is_the_document_of_show(file: Path, command: Command) -> None:
    expected = command("show", "--json", file).decode()
    metadata = read_all(file)
    assert metadata is None and '"item":null' in expected or metadata and metadata.to_json() + "\n" == expected
    expected = command("show", "--json", "-", stdin=file.read_bytes()).decode()
    metadata = read_all(file.read_bytes())
    assert metadata is None and '"item":null' in expected or metadata and metadata.to_json() + "\n" == expected


def test_attributes_are_those_of_the_document(file: Path) -> None:
    if not (metadata := read_all(file)):
        return
    document = json.loads(metadata.to_json())

    def check(item: sectile.Item, expected: dict[str, object]) -> None:
        assert (item.kind, item.path, item.name) == (expected["kind"], expected["path"], expected["name"])
        texts = {field: value for field, value in item.annotations.items() if isinstance(value, str)}
        raw = expected["annotations"]
        assert isinstance(raw, dict)
        assert texts == {field: value for field, value in raw.items() if isinstance(value, str)}
        assert {name: [list(value) for value in values] for name, values in item.producers.items()} == expected["producers"]
        nested = expected["items"]
        assert isinstance(nested, list) and len(item.children) == len(nested)
        for child, document in zip(item.children, nested, strict=True):
            check(child, document)

    check(metadata.root, document["item"])
    for finding, expected in zip(metadata.findings, document["findings"], strict=True):
        assert {key: getattr(finding, key) for key in expected} == expected


@pytest.mark.parametrize("recovered", [False, True])
def test_packages_are_those_of_show(file: Path, recovered: bool, command: Command) -> None:
    document = json.loads(command("show", "--json", "--packages", "all" if recovered else "declared", file))
    if document["outcome"] != "complete":
        with pytest.raises(sectile.SectileError):
            sectile.packages(file, recovered=recovered)
        return
    packages = sectile.packages(file, recovered=recovered)
    for package, expected in zip(packages, document["packages"], strict=True):
        assert {key: getattr(package, key) for key in expected} == expected


def test_sections_are_those_of_the_command(file: Path, command: Command) -> None:
    document = json.loads(command("sections", "--json", file))
    if document["outcome"] != "complete":
        with pytest.raises(sectile.SectileError):
            sectile.sections(file)
        return
    for section, expected in zip(sectile.sections(file), document["sections"], strict=True):
        for key in ("range", "payload", "data"):
            assert list(getattr(section, key)) == expected.get(key, expected["payload"])
        assert (section.path, section.id, section.kind) == (expected["path"], expected["id"], expected["kind"])
        if isinstance(expected.get("name"), str):
            assert section.name == expected["name"]


def test_digests_are_those_of_the_command(file: Path, command: Command) -> None:
    document = json.loads(command("digest", "--json", file))
    if document["outcome"] != "complete":
        with pytest.raises(sectile.SectileError):
            sectile.digest(file)
        return
    digests = sectile.digest(file)
    assert (digests.file, digests.content) == (document["digest"], document["content"])


@pytest.mark.parametrize("format", [*sectile.SBOM_FORMATS, "spdx"])
def test_an_sbom_is_the_document_of_the_command(file: Path, format: str, command: Command) -> None:
    arguments = ["--packages", "all", "--created", "2026-01-02T03:04:05Z"]
    expected = command("sbom", "--format", format, *arguments, file)
    try:
        document = sectile.sbom(file, format, recovered=True, created="2026-01-02T03:04:05Z")
    except sectile.SectileError:
        assert json.loads(command("show", "--json", file))["outcome"] != "complete"
    else:
        assert document == expected.decode().removesuffix("\n")


@pytest.mark.parametrize("policy", [None, POLICY])
def test_a_verdict_is_the_document_of_check(file: Path, policy: str | None, tmp_path: Path, command: Command) -> None:
    given = None
    arguments = []
    if policy:
        given = tmp_path / "policy.toml"
        given.write_text(policy)
        arguments = ["--policy", str(given)]
    verdict = sectile.check(file, given)
    assert verdict.to_json() + "\n" == command("check", "--json", *arguments, file).decode()
    document = json.loads(verdict.to_json())
    assert (verdict.accepted, verdict.excepted) == (document["accepted"], document["excepted"])
    assert verdict.complete == (document["outcome"] == "complete") == (verdict.error is None)
    for judged, expected in zip(verdict.findings, document["findings"], strict=True):
        assert {key: getattr(judged, key) for key in expected} == expected
    data = file.read_bytes()
    assert sectile.check(data, given).to_json() + "\n" == command("check", "--json", *arguments, "-", stdin=data).decode()


def test_edits_are_those_of_the_command(file: Path, tmp_path: Path, command: Command) -> None:
    data = file.read_bytes()
    target = tmp_path / "target.wasm"
    target.write_bytes(data)
    arguments = ["--licenses", "MIT", "--vendor", "Acme", "--name", "new", "--sdk", "Kit=1"]
    expected = command("set", "--json", *arguments, target).decode()
    written = target.read_bytes()
    target.write_bytes(data)
    edit: dict[str, Any] = {"set": {"licenses": "MIT", "vendor": "Acme"}, "name": "new", "producers": [("sdk", "Kit", "1")]}
    if not expected:
        with pytest.raises(sectile.SectileError):
            sectile.edit(data, **edit)
        with pytest.raises(sectile.SectileError):
            sectile.edit(target, **edit)
        assert target.read_bytes() == data
        return
    new, changes = sectile.edit(data, **edit)
    assert new == written
    assert sectile.edit(target, **edit) == changes and target.read_bytes() == written
    again, none = sectile.edit(new, **edit)
    assert again == new and not none
    target.write_bytes(data)
    assert sectile.edit(target, **edit).to_json() + "\n" == expected


def test_the_package_carries_the_command(tmp_path: Path, command: Command) -> None:
    missing = tmp_path / "missing.wasm"
    for arguments in (["--version", "--verbose"], ["show", "--json", FILES[0]], ["check", missing], ["oci", "--help"], []):
        program = os.environ.get("SECTILE", str(PROJECT / "target/debug/sectile"))
        expected, run = (
            subprocess.run([*start, *arguments], capture_output=True, check=False)
            for start in ([program], [sys.executable, "-m", "sectile"])
        )
        assert (run.returncode, run.stdout, run.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_stripping_is_that_of_the_command(file: Path, tmp_path: Path, command: Command) -> None:
    data = file.read_bytes()
    target = tmp_path / "target.wasm"
    target.write_bytes(data)
    if not command("strip", "--json", "--all", "--keep", "lic*", target):
        return
    new, changes = sectile.strip(data, all=True, keep=["lic*"])
    assert new == target.read_bytes()
    target.write_bytes(data)
    assert sectile.strip(target, all=True, keep=["lic*"]) == changes and target.read_bytes() == new
