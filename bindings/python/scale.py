"""Measures audits in one process and on clusters: of a store that adds a delay to each request, and of a local disk.

Usage: python scale.py rates SLOW_STORE [--objects N] [--in-flight N] [--delays MS…] [--workers N…] [--rounds N]
       python scale.py bytes SLOW_STORE
       python scale.py local [--files N] [--rounds N]

SLOW_STORE is the program of `rustc -O --edition 2024 crates/sectile-remote/examples/slow_store.rs`. `rates` compares the
rates with the model and with the same requests without an audit. `bytes` compares the bytes that are fetched for objects
of 4 MiB with those of Ray's own column of downloads. `local` compares engines on generated files. docs/scale.md has the
results.
"""

from __future__ import annotations

import argparse
import functools
import http.client
import math
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

import sectile
import sectile.ray
from kills import client_environment, write_files

SIZE = 2_000
"""Bytes of an object whose rate is measured."""
HEAD = 65_536
"""Bytes of a bare request: at least those of an object, as in an audit."""
LARGE = 4 << 20
TASKS = 4
"""Tasks for each worker. Ray starts the second worker of a dataset after a second, and takes about 0.1 s between two tasks."""
PAUSE = 0.25
"""Seconds of a task that shows what Ray adds to its tasks."""


@contextmanager
def store(program: str, delay: int, objects: int, size: int) -> Iterator[str]:
    """Starts the store. Its endpoint is in the environment."""
    command = [program, str(delay), str(objects), str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        endpoint = server.stdout.readline().strip()
        os.environ.update(client_environment(endpoint))
        try:
            yield endpoint
        finally:
            server.kill()


def counts(endpoint: str) -> tuple[int, int]:
    """Requests and bytes so far."""
    with urllib.request.urlopen(endpoint + "/") as answer:
        requests, sent = answer.read().split()
    return int(requests), int(sent)


@contextmanager
def cluster(workers: int) -> Iterator[Any]:
    """Ray on this machine."""
    os.environ.setdefault("RAY_worker_niceness", "0")  # the priority of the process that Ray is compared with
    import ray

    ray.init("local", num_cpus=workers, include_dashboard=False, logging_level="error", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield ray
    finally:
        ray.shutdown()


def fetch(batch: pa.Table, endpoint: str, in_flight: int) -> pa.Table:
    """Makes the requests of an audit of these objects, and does not look at the answers."""
    names = iter(batch["name"].to_pylist())
    lock = threading.Lock()
    host = urllib.parse.urlsplit(endpoint).netloc
    fetched: list[int] = []

    def work() -> None:
        connection = http.client.HTTPConnection(host)
        while True:
            with lock:
                name = next(names, None)
            if name is None:
                break
            connection.request("GET", f"/store/{name.decode()}", headers={"Range": f"bytes=0-{HEAD - 1}"})
            fetched.append(len(connection.getresponse().read()))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return pa.table({"bytes": fetched})


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def processor_time(program: str, objects: int, in_flight: int) -> float:
    """Seconds of a processor for an object, without a delay."""
    with store(program, 0, objects, SIZE):
        keys = [sectile.Key(**key) for key in sectile.keys("s3://store")]
        before = resource.getrusage(resource.RUSAGE_SELF)
        sectile.audit(keys, threads=1, in_flight=in_flight)
        after = resource.getrusage(resource.RUSAGE_SELF)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / objects


def round_trip(endpoint: str) -> float:
    """Seconds of a request on an open connection."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc)

    def request() -> None:
        connection.request("GET", "/store/000000000.wasm", headers={"Range": f"bytes=0-{HEAD - 1}"})
        connection.getresponse().read()

    request()
    return statistics.median(seconds(request) for _ in range(20))


def pause(batch: pa.Table) -> pa.Table:
    """A task that only waits."""
    time.sleep(PAUSE)
    return batch.slice(0, 0)


def measure_rates(arguments: argparse.Namespace) -> None:
    """Prints the table of rates."""
    objects, in_flight = arguments.objects, arguments.in_flight
    busy = processor_time(arguments.store, objects, in_flight)
    print(f"{objects} objects, {in_flight} in flight in each process, {arguments.rounds} rounds.")
    print(f"An object costs {busy * 1e6:.0f} µs of a processor. Load of the machine at the start: {os.getloadavg()[0]:.1f}.\n")
    columns = ["delay", "round trip", "processes", "Ray's own time", "objects a second", "median", "model", "error of the model"]
    print(f"| {' | '.join(columns)} | to one process | to bare requests |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for delay in arguments.delays:
        with store(arguments.store, delay, objects, SIZE) as endpoint:
            keys = [sectile.Key(**key) for key in sectile.keys("s3://store")]
            alone = functools.partial(sectile.audit, keys, threads=1, in_flight=in_flight)
            single = [objects / seconds(alone) for _ in range(arguments.rounds)]
            trip = round_trip(endpoint)
            work = objects / in_flight * (trip + in_flight * busy)
            head = [f"{delay} ms", f"{trip * 1e3:.1f} ms"]
            print(line([*head, "1, without Ray", "0"], single, objects / work), flush=True)
            for workers in arguments.workers:
                with cluster(workers):
                    batch = math.ceil(objects / workers / TASKS / in_flight) * in_flight
                    batches = sectile.ray.keys(keys, batch=batch).materialize()
                    audits, bare, starts = [], [], []
                    for nth in range(arguments.rounds + 1):
                        rows = sectile.ray.rows(batches, in_flight=in_flight)
                        requests = batches.map_batches(
                            fetch,
                            batch_size=None,
                            batch_format="pyarrow",
                            fn_kwargs={"endpoint": endpoint, "in_flight": in_flight},
                        )
                        if nth == 0:  # the processes start
                            rows.materialize()
                            continue
                        pauses = batches.map_batches(pause, batch_size=None, batch_format="pyarrow")
                        starts.append(seconds(pauses.materialize) - PAUSE * TASKS)
                        audits.append(objects / seconds(rows.materialize))
                        bare.append(objects / seconds(requests.materialize))
                model = objects / (min(starts) + work / workers)
                print(line([*head, str(workers), f"{min(starts):.1f} s"], audits, model, single, bare), flush=True)


def line(cells: list[str], rates: list[float], model: float, *others: list[float]) -> str:
    """A line of the table. Ratios are those of the best rounds."""
    best, median = max(rates), statistics.median(rates)
    cells = [*cells, f"{best:,.0f}", f"{median:,.0f}", f"{model:,.0f}", f"{model / best - 1:+.0%}"]
    cells += [f"{best / max(other):.2f}" for other in others] or ["", ""]
    return f"| {' | '.join(cells)} |"


def measure_bytes(arguments: argparse.Namespace) -> None:
    """Prints the bytes that are fetched for large objects."""
    from pyarrow.fs import S3FileSystem
    from ray.data.expressions import download

    objects = 50
    with store(arguments.store, 0, objects, LARGE) as endpoint, cluster(2) as ray:
        keys = sectile.ray.keys("s3://store")
        listed = counts(endpoint)[1]
        sectile.ray.rows(keys).materialize()
        audited = counts(endpoint)[1] - listed
        urls = pa.table({"url": [f"store/{nth:09}.wasm" for nth in range(objects)]})
        filesystem = S3FileSystem(endpoint_override=urllib.parse.urlsplit(endpoint).netloc, scheme="http")
        column = download("url", filesystem=filesystem)
        bodies = ray.data.from_arrow(urls).with_column("bytes", column).take_all()
        downloaded = counts(endpoint)[1] - listed - audited
        # Some downloads fail in Ray, and are null.
        complete = sum(len(row["bytes"] or b"") > LARGE for row in bodies)
        assert complete > objects / 2
    print("| objects of 4 MiB | bytes for each |")
    print("| --- | --- |")
    print(f"| `sectile.ray` | {audited // objects:,} |")
    print(f"| Ray's `download` | {downloaded // complete:,} |")
    print(f"| ratio | 1/{downloaded / complete / audited * objects:.0f} |")


@contextmanager
def spark_session() -> Iterator[Any]:
    """Spark on this machine."""
    from pyspark.sql import SparkSession

    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        yield session
    finally:
        session.stop()


def measure_local(arguments: argparse.Namespace) -> None:
    """Prints the table of engines on a local disk, each with two processes or threads."""
    import sectile.spark

    with tempfile.TemporaryDirectory() as directory, ExitStack() as engines:
        write_files(Path(directory), arguments.files, random.Random(1))
        audits: dict[str, Callable[[], object]] = {"one process": lambda: sectile.audit(directory, threads=2)}
        starts = {"one process": 0.0}

        def start_ray() -> None:
            engines.enter_context(cluster(2))
            audits["Ray"] = lambda: sectile.ray.rows(sectile.ray.keys(directory)).materialize()

        def start_spark() -> None:
            session = engines.enter_context(spark_session())
            audits["Spark"] = lambda: sectile.spark.rows(sectile.spark.keys(session, directory)).toArrow()

        starts["Ray"], starts["Spark"] = seconds(start_ray), seconds(start_spark)
        print(f"{arguments.files} files, {arguments.rounds} rounds. Load of the machine: {os.getloadavg()[0]:.1f}.\n")
        print("| engine | start | seconds | median | rows a second |")
        print("| --- | --- | --- | --- | --- |")
        for name, audit in audits.items():
            audit()  # the processes start
            taken = [seconds(audit) for _ in range(arguments.rounds)]
            rate = arguments.files / min(taken)
            print(f"| {name} | {starts[name]:.1f} s | {min(taken):.2f} | {statistics.median(taken):.2f} | {rate:,.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["bytes", "local", "rates"])
    parser.add_argument("store", nargs="?")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--objects", type=int, default=5_000)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--delays", type=int, nargs="+", default=[20, 50, 100], help="milliseconds")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.what != "local" and not arguments.store:
        parser.error("give the program of the store")
    {"bytes": measure_bytes, "local": measure_local, "rates": measure_rates}[arguments.what](arguments)


if __name__ == "__main__":
    main()
