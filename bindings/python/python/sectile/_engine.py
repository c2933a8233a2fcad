"""The code that `sectile.ray` and `sectile.spark` share. It needs pyarrow, and no engine.

An engine divides the keys into batches, and runs each in a task. A task may run several times, on any node, until its
result arrives. Its part of the report is named by the keys of its batch, and renamed to that name when it is complete:
however often the task runs, the report has the part once.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ._records import Key
from ._sectile import Policy, Summary, audit, keys

PART_SCHEMA = pa.schema([("file", pa.string()), ("rows", pa.int64()), ("bytes", pa.int64()), ("summary", pa.string())])
"""What a task returns if it writes a part of a report."""


@dataclass(frozen=True)
class Settings:
    """The settings of an audit, for other processes."""

    policy: tuple[str, str] | None
    """Text and name."""
    options: dict[str, Any]
    """Further arguments of `sectile.audit`."""

    @classmethod
    def new(cls, policy: str | os.PathLike[str] | None, options: dict[str, Any]) -> Settings:
        """Reads the policy, so that the other processes need no file. All of them use the same day."""
        loaded = None
        if policy is not None:
            loaded = (Path(policy).read_text(encoding="utf-8"), os.fspath(policy))
            Policy.parse(*loaded)  # a fault is reported here, not by a task
        seconds = float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
        day = time.strftime("%Y-%m-%d", time.gmtime(seconds))
        return cls(loaded, {"day": day, "threads": 1, **options})

    def audit(self, batch: pa.Table, **more: Any) -> Any:
        """Audits a batch of keys."""
        names = [name for name in ("advisories", "vex") if name in self.options]
        paths = tuple((name, paths_of(self.options[name])) for name in names)
        options = {name: value for name, value in self.options.items() if name not in names}
        return audit([Key(**row) for row in batch.to_pylist()], load_policy(self.policy, paths), **options, **more)


@functools.lru_cache(maxsize=4)
def load_policy(policy: tuple[str, str] | None, paths: tuple[tuple[str, tuple[str, ...]], ...]) -> Policy:
    """A policy that a process keeps for its next tasks."""
    arguments: dict[str, Any] = dict(paths)
    return Policy.parse(*policy, **arguments) if policy else Policy(**arguments)


def paths_of(value: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    """A path or several."""
    return (os.fspath(value),) if isinstance(value, (str, os.PathLike)) else tuple(os.fspath(path) for path in value)


def key_table(roots: Any, ignore_rules: bool = False) -> pa.Table:
    """The keys of roots."""
    return pa.table(keys(roots, ignore_rules=ignore_rules))


def slices(table: pa.Table, rows: int) -> list[pa.Table]:
    """The table in batches."""
    return [table.slice(start, rows) for start in range(0, len(table), rows)]


def audit_rows(batch: pa.Table, settings: Settings) -> pa.Table:
    """The rows of a batch of keys."""
    return pa.table(settings.audit(batch))


def write_part(batch: pa.Table, settings: Settings, output: Output) -> pa.Table:
    """Writes the rows of a batch of keys into a part of the report.

    The keys are sorted: Spark gives a task that is repeated the same keys in any order.
    """
    batch = batch.sort_by([(column, "ascending") for column in ("root", "kind", "name")])
    name = part_name(batch)
    with output.replacing(name) as path:
        table = settings.audit(batch, parquet=path)
        size = os.path.getsize(path)
    row = {"file": [name], "rows": [len(table)], "bytes": [size], "summary": [table.summary.to_json()]}
    return pa.table(row, schema=PART_SCHEMA)


def part_name(batch: pa.Table) -> str:
    """A name that depends on the keys alone."""
    digest = hashlib.sha256()
    for row in batch.to_pylist():
        digest.update(repr(Key(**row)).encode())
    return f"part-{digest.hexdigest()[:32]}.parquet"


@dataclass(frozen=True)
class Output:
    """The directory of a report: a path that all nodes see, or a URL that pyarrow writes to."""

    directory: str
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Marks the files of this run that are not complete."""

    def is_local(self) -> bool:
        """Whether it is a path."""
        return "://" not in self.directory

    def begin(self) -> None:
        """Creates the directory, which must be empty: a report has only the parts of one run."""
        if not self.is_local():
            return
        os.makedirs(self.directory, exist_ok=True)
        if any(name.endswith(".parquet") for name in os.listdir(self.directory)):
            raise FileExistsError(f"{self.directory} has a report already: give an empty directory")

    @contextlib.contextmanager
    def replacing(self, name: str) -> Iterator[str]:
        """A path to write to. At the end, the complete file gets its name."""
        temporary = f".{self.run}-{uuid.uuid4().hex}.tmp"
        if self.is_local():
            path = os.path.join(self.directory, temporary)
            try:
                yield path
                os.replace(path, os.path.join(self.directory, name))
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
            return
        import tempfile

        from pyarrow import fs

        with tempfile.TemporaryDirectory() as local:
            path = os.path.join(local, name)
            yield path
            fs.copy_files(path, f"{self.directory.rstrip('/')}/{name}")

    def finish(self, parts: pa.Table) -> Report:
        """Removes what killed tasks left, and folds the summaries."""
        if self.is_local():
            for name in os.listdir(self.directory):
                if name.startswith(f".{self.run}-"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(os.path.join(self.directory, name))
        summary = Summary.merge(map(Summary, parts["summary"].to_pylist()))
        return Report(self.directory, sorted(parts["file"].to_pylist()), summary)


@dataclass(frozen=True)
class Report:
    """A report in Parquet files."""

    directory: str
    files: list[str]
    """Names of the files in the directory."""
    summary: Summary
    """The counts over all rows: those of a single audit."""
