"""Measures audits of a store with a delay of each request, in one process and on Ray with 1, 2 and 4 workers.

Usage: python scale.py SLOW_STORE [--objects N] [--in-flight N]

SLOW_STORE is the program `cargo build --release -p sectile-remote --example slow_store`. docs/scale.md has the results.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import sectile


@contextmanager
def store(program: str, delay: int, objects: int, size: int) -> Iterator[str]:
    """Starts the store. Its endpoint is in the environment."""
    with subprocess.Popen([program, str(delay), str(objects), str(size)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        endpoint = server.stdout.readline().strip()
        os.environ.update(
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_REGION="us-east-1",
            AWS_ENDPOINT_URL=endpoint,
            AWS_ALLOW_HTTP="true",
        )
        try:
            yield endpoint
        finally:
            server.kill()


def counts(endpoint: str) -> tuple[int, int]:
    """Requests and bytes so far."""
    with urllib.request.urlopen(endpoint + "/") as answer:
        requests, sent = answer.read().split()
    return int(requests), int(sent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--objects", type=int, default=5_000)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--delays", type=int, nargs="+", default=[20, 50, 100], help="milliseconds")
    arguments = parser.parse_args()
    objects, in_flight = arguments.objects, arguments.in_flight
    import ray

    import sectile.ray

    with store(arguments.store, 0, 50, 4 << 20) as endpoint:
        sectile.audit("s3://store")
        print(f"objects of 4 MiB: {50 * (4 << 20) / counts(endpoint)[1]:.0f} times fewer bytes than the objects have")
    print("| delay | workers | rows a second | of the model | relative to one process |")
    print("| --- | --- | --- | --- | --- |")
    for delay in arguments.delays:
        with store(arguments.store, delay, objects, 2_000):
            keys = [sectile.Key(**key) for key in sectile.keys("s3://store")]
            start = time.perf_counter()
            sectile.audit(keys, threads=1, in_flight=in_flight)
            single = objects / (time.perf_counter() - start)
            model = in_flight / (delay / 1000)
            print(f"| {delay} ms | one process | {single:.0f} | {single / model:.2f} | 1.00 |", flush=True)
            for workers in (1, 2, 4):
                ray.init("local", num_cpus=workers, include_dashboard=False, logging_level="error", log_to_driver=False)
                ray.data.DataContext.get_current().enable_progress_bars = False
                batches = sectile.ray.keys(keys, batch=max(1, objects // (workers * 4))).materialize()
                sectile.ray.rows(sectile.ray.keys(keys[:workers], batch=1)).count()  # starts the processes
                start = time.perf_counter()
                sectile.ray.rows(batches, in_flight=in_flight).materialize()
                rate = objects / (time.perf_counter() - start)
                print(f"| {delay} ms | {workers} | {rate:.0f} | {rate / model / workers:.2f} | {rate / single:.2f} |", flush=True)
                ray.shutdown()


if __name__ == "__main__":
    main()
