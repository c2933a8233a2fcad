"""Audits on a Ray cluster.

    import sectile.ray

    keys = sectile.ray.keys(["s3://bucket/apps"])
    report = sectile.ray.audit(keys, "report", policy="policy.toml")
    print(report.summary)

Each task fetches the ranges that it needs from the store itself. Ray repeats the tasks of a process or a node that dies.
The rows are those of a single `sectile.audit`, each exactly once. Files must have the same paths on all nodes, and so must
databases of advisories. Stores are configured by the environment of the tasks.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ._engine import Output, Report, Settings, audit_rows, key_table, slices, write_part

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["Report", "audit", "keys", "rows"]

RETRIES = 20
"""Number of times that Ray repeats a task whose process or node died."""


def keys(roots: Any, *, ignore_rules: bool = False, batch: int = 500) -> Dataset:
    """Lists the keys of roots as a dataset, as `sectile.keys` does. A task audits a batch."""
    import ray.data

    return ray.data.from_arrow(slices(key_table(roots, ignore_rules), batch))


def audit(keys: Dataset, output: str | os.PathLike[str], policy: str | os.PathLike[str] | None = None, **options: Any) -> Report:
    """Audits keys, and writes the report into Parquet files below a directory that all nodes see, or below a URL.

    The options are those of `sectile.audit`; `num_cpus` and `memory` are those of a task of Ray.
    """
    target = Output(os.fspath(output))
    target.begin()
    parts = map_keys(keys, policy, options, functools.partial(write_part, output=target)).take_all()
    columns = {name: [part[name] for part in parts] for name in ("file", "summary")}
    return target.finish(pa.table(columns))


def rows(keys: Dataset, policy: str | os.PathLike[str] | None = None, **options: Any) -> Dataset:
    """The rows of an audit of keys as a dataset, for further work in Ray."""
    return map_keys(keys, policy, options, audit_rows)


def run_task(batch: pa.Table, task: Any) -> pa.Table:
    """Runs a task. A process without memory ends: Ray repeats a task whose process died, but not one that raised.

    `BlockingIOError` is the error of the system if it has no memory for a thread.
    """
    try:
        return task(batch)
    except (MemoryError, BlockingIOError):
        logging.getLogger("sectile").exception("the process is out of memory, and the task is repeated in another one")
        os._exit(1)


def map_keys(keys: Dataset, policy: str | os.PathLike[str] | None, options: dict[str, Any], task: Any) -> Dataset:
    """Runs a task for each batch of keys."""
    arguments: dict[str, Any] = {name: options.pop(name) for name in ("num_cpus", "memory") if name in options}
    task = functools.partial(task, settings=Settings.new(policy, options))
    parameters = inspect.signature(keys.map_batches).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        arguments["max_retries"] = RETRIES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Ray will remove `max_retries`
        return keys.map_batches(
            functools.partial(run_task, task=task), batch_size=None, batch_format="pyarrow", zero_copy_batch=True, **arguments
        )
