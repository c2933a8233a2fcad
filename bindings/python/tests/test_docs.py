"""The examples in the documentation run, and the stubs list the fields of the table."""

import ast
import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
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
    example, *_ = examples(PACKAGE / "README.md")
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(example, {})
    assert output.getvalue().splitlines()[0] == "MIT {'sdk': [('Kit', '1.0')]}"


def test_the_audits_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, audit, since, _, ray = examples(PACKAGE / "README.md")
    store(tmp_path)
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(audit, {})
        exec(since, {"sectile": sectile})
    assert output.getvalue() == "[('store/a.wasm', 1)]\n"
    assert run_ray(ray).startswith("1 ['part-")


def run_ray(example: str) -> str:
    """Runs an example in a process and a cluster of its own. Ray leaves warnings."""
    environment = {**os.environ, "RAY_ADDRESS": "local"}
    run = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    return run.stdout


def store(directory: Path) -> None:
    """A store with a binary, and a policy that refuses it."""
    (directory / "store").mkdir()
    (directory / "store/a.wasm").write_bytes(b"\0asm\x01\0\0\0")
    (directory / "policy.toml").write_text('[[required]]\nfields = ["licenses"]\n')


def test_the_example_of_the_projects_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example, ray = examples(PROJECT / "README.md")
    store(tmp_path)
    (tmp_path / "app.wasm").write_bytes(b"\0asm\x01\0\0\0")
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert sectile.read("app.wasm").root.licenses == "MIT"
    assert "Summary of 1 rows, 1 refused" in run_ray(ray)


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
