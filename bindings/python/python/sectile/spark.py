"""Audits on a Spark cluster.

    import sectile.spark

    keys = sectile.spark.keys(spark, ["s3://bucket/apps"])
    report = sectile.spark.audit(keys, "report", policy="policy.toml")
    print(report.summary)

The tasks, the rows and the report are those of `sectile.ray`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ._engine import PART_SCHEMA, Output, Report, Settings, audit_rows, key_table, write_part

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Report", "audit", "keys", "rows"]


def keys(spark: SparkSession, roots: Any, *, ignore_rules: bool = False, batch: int = 500) -> DataFrame:
    """Lists the keys of roots as a data frame, as `sectile.keys` does. A task audits about a batch."""
    table = key_table(roots, ignore_rules)
    partitions = max(1, -(-len(table) // batch))
    return spark.createDataFrame(table).repartitionByRange(partitions, "name")


def audit(keys: DataFrame, output: str | os.PathLike[str], policy: str | os.PathLike[str] | None = None, **options: Any) -> Report:
    """Audits keys, and writes the report into Parquet files below a directory that all nodes see, or below a URL.

    The options are those of `sectile.audit`.
    """
    target = Output(os.fspath(output))
    target.begin()
    parts = map_keys(keys, policy, options, functools.partial(write_part, output=target), PART_SCHEMA)
    return target.finish(parts.toArrow())


def rows(keys: DataFrame, policy: str | os.PathLike[str] | None = None, **options: Any) -> DataFrame:
    """The rows of an audit of keys as a data frame, for further work in Spark."""
    from ._sectile import audit as audit_roots

    schema = pa.table(audit_roots([])).schema
    fields = [field.with_type(nullable(field.type)) for field in schema]
    return map_keys(keys, policy, options, audit_rows, pa.schema(fields))


def nullable(kind: pa.DataType) -> pa.DataType:
    """The type with fields that may be null. Spark cannot convert a null structure whose fields may not be null."""
    if pa.types.is_struct(kind):
        fields = [kind.field(nth) for nth in range(kind.num_fields)]
        return pa.struct([field.with_type(nullable(field.type)).with_nullable(True) for field in fields])
    return pa.list_(nullable(kind.value_type)) if pa.types.is_list(kind) else kind


def map_keys(
    keys: DataFrame, policy: str | os.PathLike[str] | None, options: dict[str, Any], task: Any, schema: pa.Schema
) -> DataFrame:
    """Runs a task for each partition of the keys."""
    from pyspark.sql.pandas.types import from_arrow_schema

    task = functools.partial(task, settings=Settings.new(policy, options))

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        partition = list(batches)
        if partition:
            yield from task(pa.Table.from_batches(partition)).to_batches()

    return keys.mapInArrow(run, from_arrow_schema(schema))
