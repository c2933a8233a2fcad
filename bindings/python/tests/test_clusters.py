"""Audits on clusters: their rows are those of a single process. `kills.py` has further tests."""

from __future__ import annotations

import os
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
import pytest

import sectile
import sectile.ray
from conftest import PREAMBLE, module
from kills import client_environment
from sectile._engine import Output, Settings, key_table, write_part
from servers import Bucket, Registry, serve

ray: Any = pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("ignore")  # those of the engine

KILOBYTE = 1 << 10


def numbered(count: int) -> dict[str | bytes, bytes]:
    """Objects."""
    return {f"app/{nth:03}.wasm": module(version=f"1.{nth}") for nth in range(count)}


@pytest.fixture
def start() -> Iterator[Callable[..., None]]:
    """Starts a cluster on this machine."""

    def start(**runtime: Any) -> None:
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error", runtime_env=runtime)
        ray.data.DataContext.get_current().enable_progress_bars = False

    yield start
    ray.shutdown()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes a port that of the bucket."""

    def connect(port: int) -> None:
        for name, value in client_environment(f"http://127.0.0.1:{port}").items():
            monkeypatch.setenv(name, value)

    return connect


def rows(report: str | sectile.Table) -> list[str]:
    """The rows of a report, in one order."""
    table = pyarrow.parquet.read_table(report) if isinstance(report, str) else pyarrow.table(report)
    return sorted(map(str, table.to_pylist()))


def audit(roots: Any, output: Path, batch: int) -> list[str]:
    """Audits on the cluster. Compares the summary with that of a single process. Returns the rows."""
    report = sectile.ray.audit(sectile.ray.keys(roots, batch=batch), output)
    assert sorted(os.listdir(output)) == report.files
    assert report.summary == sectile.audit(roots).summary
    return rows(str(output))


def test_a_repeated_task_replaces_its_part(tmp_path: Path) -> None:
    store, output = tmp_path / "store", Output(str(tmp_path / "report"))
    store.mkdir()
    for name, data in numbered(9).items():
        (store / os.path.basename(str(name))).write_bytes(data)
    keys = key_table(store)
    output.begin()
    settings = Settings.new(None, {})
    for order in ([*range(9)], [*range(8, -1, -1)], [3, 1, 4, 0, 5, 2, 6, 8, 7]):
        parts = write_part(keys.take(order), settings, output)
    report = output.finish(parts)
    assert os.listdir(output.directory) == report.files and len(report.files) == 1
    assert rows(output.directory) == rows(sectile.audit(store))


def test_keys_with_unusual_characters(
    start: Callable[..., None], connect: Callable[[int], None], tmp_path: Path
) -> None:
    unusual = ["a b.wasm", "a+b.wasm", "50%.wasm", "%41.wasm", "a#b?c=d&e.wasm", "ä/日本/🦀.wasm", "a\\b.wasm", "\u202eb.wasm"]
    unusual += ["<a>'\".wasm", "a//b.wasm", "./a.wasm", "a/../b.wasm", " a.wasm", "a/", "a\rb.wasm", "a\nb.wasm", "a" * 1000]
    bucket = Bucket({key: module(vendor=str(nth)) for nth, key in enumerate(unusual)})
    with serve(bucket.answer) as port:
        connect(port)
        single = sectile.audit("s3://store")
        assert len(single) == len(unusual)
        start()
        assert audit("s3://store", tmp_path / "report", 3) == rows(single)
    names = {urllib.parse.unquote(row["file"]): row["vendor"] for row in single}
    for nth, key in enumerate(unusual[:8]):
        assert names[f"s3://store/{key}"] == str(nth), key


@pytest.mark.parametrize("list_roots", [sectile.keys, sectile.ray.keys], ids=["keys", "ray"])
def test_a_bucket_that_cannot_be_listed_is_an_error(
    list_roots: Callable[[str], object], connect: Callable[[int], None]
) -> None:
    bucket = Bucket(numbered(2), denies=True)
    with serve(bucket.answer) as port:
        connect(port)
        with pytest.raises(PermissionError, match=r"cannot list s3://store/app/: access denied \(403\): check the credentials"):
            list_roots("s3://store/app")
        [row] = sectile.audit("s3://store/app")
        assert (row["accepted"], row["file"]) == (False, "s3://store/app/") and "access denied (403)" in row["reason"]["message"]
        bucket.denies = False
        bucket.objects[b"\xff.wasm"] = PREAMBLE
        with pytest.raises(OSError, match="cannot list s3://store/: the response is not a listing of keys in UTF-8"):
            list_roots("s3://store")
        with pytest.raises(sectile.SectileError, match="not UTF-8"):
            sectile.audit(sectile.Key("object", "s3://store", b"\xff.wasm", size=8))


def without_memory(markers: Path, *headrooms: int) -> Callable[[], None]:
    """A hook of processes: each of the first audits may only use so much more memory. One that succeeds leaves a file."""

    def hook() -> None:
        import resource

        from sectile import _engine

        whole = vars(_engine)["audit"]

        def audit(*arguments: Any, **options: Any) -> Any:
            for nth, headroom in enumerate(headrooms):
                try:
                    os.close(os.open(markers / str(nth), os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    continue
                pages = int(Path("/proc/self/statm").read_text().split()[0])
                resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + headroom, resource.RLIM_INFINITY))
                result = whole(*arguments, **options)
                os.close(os.open(markers / "succeeded", os.O_CREAT))
                return result
            return whole(*arguments, **options)

        vars(_engine)["audit"] = audit

    return hook


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_a_task_without_memory_is_repeated(start: Callable[..., None], tmp_path: Path) -> None:
    store, markers = tmp_path / "store", tmp_path / "markers"
    store.mkdir()
    markers.mkdir()
    for name, data in numbered(40).items():
        (store / os.path.basename(str(name))).write_bytes(data)
    # Too little for a thread, for a second one, and for the work.
    start(worker_process_setup_hook=without_memory(markers, 100 * KILOBYTE, 2500 * KILOBYTE, 4500 * KILOBYTE))
    assert audit(store, tmp_path / "report", 10) == rows(sectile.audit(store))
    assert sorted(os.listdir(markers)) == ["0", "1", "2"]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_a_task_that_never_has_memory_is_an_error(
    start: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, markers = tmp_path / "store", tmp_path / "markers"
    store.mkdir()
    markers.mkdir()
    (store / "a.wasm").write_bytes(module())
    monkeypatch.setattr(sectile.ray, "RETRIES", 1)
    start(worker_process_setup_hook=without_memory(markers, *[100 * KILOBYTE] * 99))
    with pytest.raises(Exception, match="died|crashed|memory"):
        sectile.ray.audit(sectile.ray.keys(store), tmp_path / "report")
    assert not list((tmp_path / "report").glob("*.parquet")) and not (markers / "succeeded").exists()


def registry() -> Registry:
    """Images in two repositories. Some share layers, one lacks a layer, and one lacks its manifest."""
    registry = Registry()
    shared = [module(vendor=f"shared {nth}") for nth in range(3)]
    for nth in range(6):
        registry.push("apps/one", f"1.{nth}", module(version=f"1.{nth}"), module(licenses="MIT"))
    registry.push("apps/one", "latest", module(version="1.5"), module(licenses="MIT"))
    registry.push("apps/two", "a", shared[0], shared[1])
    registry.push("apps/two", "b", shared[1], shared[2])
    registry.push("apps/two", "c", shared[2])
    registry.push("apps/two", "own", module(vendor="own"))
    registry.push("apps/two", "absent", lost := module(vendor="lost"), module(vendor="found"))
    del registry.blobs[registry.add(lost)]
    registry.push("tools", "also", shared[0])
    registry.tags["tools"]["broken"] = registry.add(b"{}")
    registry.tags["tools"]["again"] = registry.add(b"{}")
    registry.tags["tools"]["missing"] = "sha256:" + "0" * 64
    return registry


def test_the_images_of_a_registry_are_divided(start: Callable[..., None], tmp_path: Path) -> None:
    with serve(registry().answer) as port:
        host = f"oci://127.0.0.1:{port}"
        groups = {root: [key for key in sectile.keys(host + root)] for root in ("/", "/apps/", "/apps/two", "/apps/two:a")}
        assert {root: len(keys) for root, keys in groups.items()} == {"/": 6, "/apps/": 4, "/apps/two": 3, "/apps/two:a": 1}
        assert {key["kind"] for keys in groups.values() for key in keys} == {"image", "root"}
        for root, keys in groups.items():
            single = sectile.audit(host + root)
            parts = [sectile.audit([sectile.Key(**key)]) for key in keys]
            assert sorted(row for part in parts for row in rows(part)) == rows(single), root
            assert sectile.Summary.merge(part.summary for part in parts if part.summary) == single.summary
        start()
        assert audit([host + "/"], tmp_path / "report", 1) == rows(sectile.audit(host + "/"))
        for names in (["a"], ["oci://127.0.0.1/a"], [b"oci://\xff"]):
            with pytest.raises(sectile.SectileError, match="is the URL of a tag or a digest"):
                sectile.audit(sectile.Key("image", host, host + "/apps/two:a", names))
        with pytest.raises(sectile.SectileError, match="is the URL of a tag or a digest"):
            sectile.audit(sectile.Key("image", host, host + "/apps/two"))


def test_rows_on_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql: Any = pytest.importorskip("pyspark.sql")
    import sectile.spark

    for name, data in [*numbered(20).items(), ("cut.wasm", module()[:6]), ("not.wasm", b"text")]:
        (tmp_path / os.path.basename(str(name))).write_bytes(data)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    session = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        table = sectile.spark.rows(sectile.spark.keys(session, str(tmp_path), batch=7)).toArrow()
    finally:
        session.stop()
    assert sorted(map(str, table.to_pylist())) == rows(sectile.audit(tmp_path))


def test_files_and_objects_are_audited_together(
    start: Callable[..., None], connect: Callable[[int], None], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / os.fsdecode(b"\xff.wasm")).write_bytes(module())
    os.link(store / os.fsdecode(b"\xff.wasm"), store / "a.wasm")
    with serve(Bucket(numbered(30)).answer) as port:
        connect(port)
        single = sectile.audit([store, "s3://store"])
        start()
        assert audit([store, "s3://store"], tmp_path / "report", 7) == rows(single)
    query = f"SELECT count(*), count(DISTINCT file) FROM '{tmp_path}/report/*.parquet'"
    assert duckdb.sql(query).fetchall() == [(len(single), len(single))] == [(31, 31)]
