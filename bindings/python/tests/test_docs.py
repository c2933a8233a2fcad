"""The examples in the documentation run, and the stubs list the fields of the table."""

import ast
import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest

import sectile
import sectile._records
from conftest import PROJECT

PACKAGE = PROJECT / "bindings/python"


def examples(file: Path) -> list[str]:
    """The Python examples of a page."""
    return re.findall(r"^```python\n(.*?)^```", file.read_text(), re.DOTALL | re.MULTILINE)


def test_the_docstrings_are_right() -> None:
    for module in (sectile, sectile._records):
        result = doctest.testmod(module)
        assert result.attempted > 0 and result.failed == 0


def test_the_examples_of_the_readme_run() -> None:
    (example,) = examples(PACKAGE / "README.md")
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(example, {})
    assert output.getvalue().splitlines()[0] == "MIT {'sdk': [('Kit', '1.0')]}"


def test_the_example_of_the_projects_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = examples(PROJECT / "README.md")
    (tmp_path / "app.wasm").write_bytes(b"\0asm\x01\0\0\0")
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert sectile.read("app.wasm").root.licenses == "MIT"


def test_the_stub_has_an_attribute_for_each_field() -> None:
    stub = ast.parse((PACKAGE / "python/sectile/_sectile.pyi").read_text())
    (item,) = [node for node in stub.body if isinstance(node, ast.ClassDef) and node.name == "Item"]
    listed = [node.name for node in item.body if isinstance(node, ast.FunctionDef)]
    own = ["kind", "path", "range", "name", "annotations", "producers", "dependencies", "registry_metadata"]
    own += ["debug_links", "parent", "children", "is_complete", "__eq__", "__hash__"]
    assert listed == [*own[:-2], *sectile.FIELDS, *own[-2:]]


def test_everything_public_is_documented() -> None:
    for name in sectile.__all__:
        public = getattr(sectile, name)
        if callable(public):
            assert public.__doc__, name
    for kind in (sectile.Metadata, sectile.Item, sectile.Policy):
        for name in vars(kind):
            assert name.startswith("_") or getattr(kind, name).__doc__, name
