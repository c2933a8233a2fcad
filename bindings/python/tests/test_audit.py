"""Audits: their rows are those of the command, and Arrow's consumers take them as they are."""

from __future__ import annotations

import base64
import errno
import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet
import pytest

import sectile
from conftest import ADVISORIES, FILES, HOSTILE, PREAMBLE, PROJECT, as_another_user, assert_ctrl_c_stops, crates, module

Command = Callable[..., bytes]
Row = dict[str, Any]
POLICY = """
[[required]]
items = "root"
fields = ["licenses", "name"]

[[advisories]]
at-least = "critical"

[[exceptions]]
paths = ["**/rust*"]
reason = "legacy"
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fixture of the project, hostile inputs, archives, links, and names that are not UTF-8."""
    store = tmp_path_factory.mktemp("store")
    for file in FILES:
        (store / file.name).write_bytes(file.read_bytes())
    for name, data in HOSTILE.items():
        (store / f"{name}.wasm").write_bytes(data)
    (store / "affected.wasm").write_bytes(crates(smallvec="1.6.0", atty="0.2.14"))
    (store / "a.js").write_text(f"const wasm = '{base64.b64encode(module(licenses='MIT', vendor='Acme')).decode()}'")
    with tarfile.open(store / "a.tgz", "w:gz") as archive:
        for name in ("one.wasm", "two.wasm"):
            info = tarfile.TarInfo(name)
            info.size = len(data := module(licenses="MIT"))
            archive.addfile(info, io.BytesIO(data))
    (store / "a.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    (store / "link.wasm").symlink_to("affected.wasm")
    os.link(store / "affected.wasm", store / "again.wasm")
    if sys.platform == "linux":
        (store / os.fsdecode(b"latin-\xf6.wasm")).write_bytes(PREAMBLE)
    layout = store / "nested/layout"
    (layout / "blobs/sha256").mkdir(parents=True)
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (layout / "index.json").write_text('{"schemaVersion": 2, "manifests": []}')
    (layout / "blobs/sha256" / ("0" * 64)).write_bytes(PREAMBLE)
    time.sleep(0.1)  # until the times of the files are certain
    return store


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


def name(value: str | dict[str, str]) -> bytes:
    """A name in JSON."""
    return os.fsencode(value) if isinstance(value, str) else base64.b64decode(value["base64"])


def items(item: Row | None) -> Iterator[Row]:
    """The items of a tree."""
    if item:
        yield item
        for nested in item["items"]:
            yield from items(nested)


def producers(row: Row) -> list[Row]:
    """The producers of all items, once."""
    found = []
    for item in items(row["item"]):
        for field, values in item["producers"].items():
            for tool, version in values:
                producer = {"field": field, "name": tool, "version": version}
                if producer not in found:
                    found.append(producer)
    return found


def text(value: object) -> str | None:
    """A value that is UTF-8."""
    return value if isinstance(value, str) else None


def expected(row: Row) -> Row:
    """The columns of a JSON line."""
    root = row["item"] or {"annotations": {}, "kind": None, "name": None}
    file, *others = map(name, row["locations"])
    is_utf8 = isinstance(row["file"], str)
    findings = [
        {
            **{key: finding[key] for key in ("code", "severity", "refused", "rule", "path", "section", "offset", "message")},
            "excepted": "excepted" in finding,
            "count": finding.get("count", 1),
        }
        for finding in row["findings"]
    ]

    def count(key: str, value: object) -> int:
        return sum(one["count"] for one in findings if one[key] == value and (key != "severity" or not one["excepted"]))

    columns = {
        "file": row["file"] if is_utf8 else file.decode(errors="replace"),
        "file_raw": None if is_utf8 else file,
        "others": [other.decode(errors="replace") for other in others],
        "encoding": row.get("encoding", []),
        "reason": row.get("reason"),
        "kind": root["kind"],
        "name": text(root["name"]),
        "items": len(list(items(row["item"]))),
        "producers": producers(row),
        "packages": [{"checksum": None, "replaces": None, **package} for package in row["packages"]],
        "sections": [{"kind": kind, "count": n, "bytes": size} for kind, (n, size) in row["section_totals"].items()],
        "findings": findings,
        "not_opened": [{"format": format, "files": files} for format, files in row.get("not_opened", {}).items()],
        "errors": count("severity", "error"),
        "warnings": count("severity", "warning"),
        "notes": count("severity", "note"),
        "refused": count("refused", True),
        "excepted": count("excepted", True),
    }
    same = ("row", "size", "digest", "verified", "state", "outcome", "accepted", "largest", "bytes_read")
    columns.update({key: row[key] for key in same})
    columns.update({field: text(root["annotations"].get(field)) for field in sectile.FIELDS})
    return columns


@pytest.mark.parametrize("hash", [False, True])
def test_rows_are_those_of_the_command(hash: bool, store: Path, policy: Path, command: Command) -> None:
    arguments = ["--format", "jsonl", "--policy", policy, "--advisories", ADVISORIES, *(["--hash"] if hash else [])]
    head, *lines = map(json.loads, command("audit", store, *arguments).splitlines())
    rows = [line for line in lines if "file" in line]
    table = sectile.audit(store, policy, advisories=ADVISORIES, hash=hash)
    assert len(table) == len(rows) > 40
    for row, line in zip(table, rows, strict=True):
        columns = expected(line)
        assert {key: row[key] for key in columns} == columns
        assert [one["id"] for one in row["advisories"]] == [one["id"] for one in line.get("advisories", [])]
    assert set(table.columns) == {*columns, "image", "imports", "advisories", "baseline"}
    assert table.summary
    for key in ("rows", "accepted", "refused", "unread", "excepted", "bytes_read"):
        assert getattr(table.summary, key) == lines[-1]["summary"][key]


def test_keys_in_any_groups_have_the_same_rows(store: Path, policy: Path) -> None:
    whole = sectile.audit(store, policy)
    keys = [sectile.Key(**key) for key in sectile.keys(store)]
    assert {key.kind for key in keys} == {"file", "root"}
    for groups in (1, 3, len(keys)):
        parts = [sectile.audit(keys[start::groups], policy) for start in range(groups)]
        rows = sorted((row for part in parts for row in part), key=lambda row: (row["file"], str(row)))
        assert rows == sorted(whole, key=lambda row: (row["file"], str(row)))
        assert sectile.Summary.merge(part.summary for part in parts if part.summary) == whole.summary


def test_consumers_take_a_table_as_it_is(store: Path) -> None:
    table = sectile.audit([store, str(store / "affected.wasm")])
    arrow = pa.table(table)
    assert arrow.to_pylist() == list(table) and arrow.column_names == table.columns
    assert arrow.schema.metadata[b"sectile"].startswith(b'{"columns":')
    assert polars.DataFrame(table).shape == (len(table), len(table.columns))
    connection = duckdb.connect()
    connection.register("table_of_rows", table)
    (counted,) = connection.sql("SELECT count(*), sum(size) FROM table_of_rows").fetchall()
    assert counted == (len(table), sum(row["size"] or 0 for row in table))
    assert len(pandas.DataFrame(arrow.to_pandas())) == len(table)
    assert table[0] == table[-len(table)] and table[-1] == list(table)[-1]
    with pytest.raises(IndexError):
        table[len(table)]


def test_the_rows_are_written_as_parquet(store: Path, tmp_path: Path, command: Command) -> None:
    path = tmp_path / "rows.parquet"
    table = sectile.audit(store, parquet=path)
    assert pa.parquet.read_table(path).to_pylist() == list(table)
    saved = command("report", path, "--format", "jsonl").splitlines()
    assert [json.loads(line)["file"] for line in saved if b'"file"' in line][0] == table[0]["file"]
    with pytest.raises(FileExistsError):
        sectile.audit(store, parquet=path)


def test_parquet_appears_only_when_it_is_complete(store: Path, tmp_path: Path) -> None:
    directory = tmp_path / "reports"
    directory.mkdir()

    with pytest.raises(FileNotFoundError):
        sectile.audit(store, parquet=directory / "missing" / "rows.parquet")
    # Rows that exceed the file size limit: the system writes a part, and then fails.
    program = (
        "import resource, signal, sys, sectile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: sectile.audit(sys.argv[1], parquet=sys.argv[2])\n"
        "except OSError as error: sys.exit(f'{error.errno} {error.filename}')\n"
    )
    path = directory / "rows.parquet"
    run = subprocess.run([sys.executable, "-c", program, store, path], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr == f"{errno.EFBIG} {path}\n"
    assert not list(directory.iterdir())


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl"])
def test_rows_of_an_earlier_report_are_reused(name: str, store: Path, tmp_path: Path, command: Command) -> None:
    report = tmp_path / name
    command("audit", store, "-o", report)
    report.chmod(0o600)
    table = sectile.audit(store, since=report)
    first = sectile.audit(store)
    changing = {"bytes_read"}
    for row, again in zip(first, table, strict=True):
        assert {key: row[key] for key in row if key not in changing} == {key: again[key] for key in row if key not in changing}
    assert table.summary and first.summary and table.summary.bytes_read < first.summary.bytes_read
    report.chmod(0o666)
    with pytest.raises(sectile.SectileError, match="not trusted"):
        sectile.audit(store, since=report)
    assert sectile.audit(store, since=report, trust_report=True).summary == table.summary


def test_an_earlier_report_that_does_not_fit_is_an_error(store: Path, tmp_path: Path) -> None:
    report, other = tmp_path / "rows.parquet", tmp_path / "other.parquet"
    sectile.audit(store, parquet=report)
    report.chmod(0o600)
    saved = report.read_bytes()

    def write(data: bytes) -> None:
        other.write_bytes(data)
        other.chmod(0o600)

    # The version of the columns is directly before the magic of the saved rows.
    at = saved.rindex(b"sectile\0") - 4
    write(saved[:at] + (7).to_bytes(4, "little") + saved[at + 4 :])
    with pytest.raises(sectile.SectileError, match="has version 7 of the columns, and this version of Sectile reads version 1"):
        sectile.audit(store, since=other)
    pa.parquet.write_table(pa.parquet.read_table(report), other)
    with pytest.raises(sectile.SectileError, match="another program wrote"):
        sectile.audit(store, since=other)
    write(b'{"schema":1,"audit":{}}\n')
    with pytest.raises(sectile.SectileError, match="has schema 1, and this version reads schema 2"):
        sectile.audit(store, since=other)
    for data in (b"", b"{}\n", saved[: len(saved) // 2], saved[:4]):
        write(data)
        with pytest.raises(sectile.SectileError):
            sectile.audit(store, since=other)
    with pytest.raises(sectile.SectileError, match="another policy"):
        sectile.audit(store, sectile.Policy.parse('[[required]]\nfields = ["licenses"]\n'), since=report)
    with pytest.raises(FileNotFoundError) as missing:
        sectile.audit(store, since=tmp_path / "missing")
    assert missing.value.filename == str(tmp_path / "missing")
    report.chmod(0)
    with as_another_user(), pytest.raises(PermissionError):
        sectile.audit([], since=report)


def test_the_default_options_are_those_of_the_command(store: Path) -> None:
    everything = {row["file"] for row in sectile.audit(store)}
    assert any("base64" in file for file in everything) and any("a.tgz!" in file for file in everything)
    assert not any("base64" in row["file"] for row in sectile.audit(store, inside="never"))
    assert not any("a.tgz!" in row["file"] for row in sectile.audit(store, nested=0))


def test_errors_have_the_place_of_the_fault(store: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        sectile.audit(tmp_path / "missing")
    assert missing.value.filename == str(tmp_path / "missing")
    bad = tmp_path / "bad.toml"
    bad.write_text('[[required]]\nfields = "licences"\n')
    with pytest.raises(sectile.SectileError) as invalid:
        sectile.audit(store, bad)
    assert (invalid.value.line, invalid.value.column) != (None, None)
    with pytest.raises(sectile.SectileError):
        sectile.audit(store, day="tomorrow")
    with pytest.raises(sectile.SectileError):
        sectile.audit(store, inside="maybe")
    roots: Any
    for roots in (3, [3], [sectile.Key("object", "s3://bucket", "a.wasm")], [sectile.Key("thing", "a")]):
        with pytest.raises((TypeError, sectile.SectileError)):
            sectile.audit(roots)
    with pytest.raises(sectile.SectileError):
        sectile.audit("ftp://host/")
    with pytest.raises(OSError):
        sectile.keys(tmp_path / "missing")


def test_an_exception_expires_by_the_day(tmp_path: Path) -> None:
    (tmp_path / "old.wasm").write_bytes(PREAMBLE)
    rule = '[[required]]\nfields = ["licenses"]\n[[exceptions]]\npaths = ["**/old.wasm"]\nreason = "r"\nexpires = "2026-06-30"\n'
    policy = sectile.Policy.parse(rule)
    assert sectile.audit(tmp_path, policy, day="2026-06-30")[0]["accepted"]
    assert not sectile.audit(tmp_path, policy, day="2026-07-01")[0]["accepted"]


def test_a_summary_can_be_sent_to_another_process(store: Path) -> None:
    summary = sectile.audit(store).summary
    assert summary and pickle.loads(pickle.dumps(summary)) == summary and hash(summary) == hash(sectile.Summary(summary.to_json()))
    with pytest.raises(sectile.SectileError):
        sectile.Summary("{}")


def test_an_empty_audit_has_columns() -> None:
    table = sectile.audit([])
    assert len(table) == 0 and pa.table(table).column_names == table.columns and list(table) == []


def write_large(file: Path) -> None:
    """Writes a file that takes a minute to search. It is a hole."""
    file.write_bytes(b"\0" * 4096)
    os.truncate(file, 20 << 30)


def test_progress_is_reported_and_may_stop_the_audit(tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    write_large(large)

    def stop(files: int, rows: int, read: int) -> None:
        raise ArithmeticError(files)

    start = time.perf_counter()
    with pytest.raises(ArithmeticError):
        sectile.audit([large, tmp_path], progress=stop, parquet=tmp_path / "rows.parquet")
    assert not (tmp_path / "rows.parquet").exists()
    assert time.perf_counter() - start < 20


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_stops_an_audit(tmp_path: Path) -> None:
    write_large(tmp_path / "large.bin")
    assert_ctrl_c_stops(f"sectile.audit({str(tmp_path)!r})")
    assert_ctrl_c_stops(f"sectile.diff_reports({str(tmp_path)!r}, {str(tmp_path)!r})")


def test_the_table_of_the_project_is_audited() -> None:
    assert sectile.audit(PROJECT / "tests/files").summary == sectile.audit([sectile.Key("root", str(PROJECT / "tests/files"))]).summary
