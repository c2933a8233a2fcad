"""Kills processes and a node of a cluster in the middle of an audit, and compares the report with that of one process.

Usage: python kills.py [--engine ray|spark] [--files N] [--objects N] [--seeds N] [--first SEED]

Each seed generates a store of files and a bucket of objects (in moto's server), starts a cluster of two nodes on the
loopback addresses 127.0.0.2 and 127.0.0.3, and audits the store. When a random number of parts is written, a process of a
worker is killed, and later a whole node. The rows must be those of a single process, over all columns, each exactly once.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb
import psutil
import pyarrow as pa

import sectile
from sectile._engine import Report

NODES = ("127.0.0.2", "127.0.0.3")
BUCKET = "s3://store"
SECONDS = 300
"""The longest time of a seed, unless it has many objects. A cluster that has no node left waits for one."""

SETTLED = 3.0
"""Seconds until the state of a file that was just written is certain."""


def custom(name: str, data: bytes) -> bytes:
    """Encodes a short custom section."""
    payload = bytes([len(name)]) + name.encode() + data
    return bytes([0, len(payload) & 0x7F | 0x80, len(payload) >> 7]) + payload


def binary(random: random.Random, nth: int) -> bytes:
    """A module, or something that is not one."""
    if nth % 50 == 7:
        return random.randbytes(40)
    data = b"\0asm\1\0\0\0" + custom("version", f"1.{nth}".encode())
    if nth % 3:
        data += custom("licenses", random.choice([b"MIT", b"Apache-2.0", b"Apache2", b"\xff"]))
    return data[: -random.randrange(1, 9)] if nth % 40 == 3 else data


def write_files(directory: Path, files: int, random: random.Random) -> None:
    """Files in directories, some with several hard links, and a symbolic link."""
    for nth in range(files):
        path = directory / f"{nth // 1000:03}" / f"{nth:06}.wasm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(binary(random, nth))
        if nth % 500 == 1:
            os.link(path, path.with_suffix(".link.wasm"))
    (directory / "link.wasm").symlink_to("000/000000.wasm")
    (directory / os.fsdecode(b"not-utf-8-\xff.wasm")).write_bytes(binary(random, 1))


def client_environment(endpoint: str) -> dict[str, str]:
    """The environment of the clients of a server of objects."""
    return {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def bucket(objects: int, random: random.Random) -> Iterator[dict[str, str]]:
    """A server with objects. Returns the environment of its clients."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: is_open(port), "the server of objects")
        environment = client_environment(f"http://127.0.0.1:{port}")
        os.environ.update(environment)
        import boto3

        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="store")
        for nth in range(objects):
            client.put_object(Bucket="store", Key=f"app {nth % 10}/{nth:06}.wasm", Body=binary(random, nth))
        yield environment
    finally:
        server.kill()
        server.wait()


class Cluster(Protocol):
    """An engine with two nodes."""

    def audit(self, roots: list[str], output: str, batch: int) -> Report: ...
    def workers(self, node: str) -> list[Any]: ...
    def kill_node(self, node: str) -> None: ...
    def stop(self) -> None: ...


class Ray:
    """A cluster of Ray."""

    def __init__(self, environment: dict[str, str]) -> None:
        # The first permits nodes on loopback addresses. No other machine can connect to them.
        os.environ.update(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="1", RAY_AUTH_MODE="disabled")
        self.environment = {**os.environ, **environment}
        self.port = free_port()
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}
        self.start("127.0.0.1", "--head", f"--port={self.port}", "--num-cpus=0", "--include-dashboard=false")
        wait_until(lambda: is_open(self.port), "the head of the cluster")
        import ray

        self.ray = ray
        ray.init(f"127.0.0.1:{self.port}", log_to_driver=False, logging_level="warning")
        # Nodes that start at the same time on one machine may take the same ports.
        for count, node in enumerate(NODES, 1):
            self.start(node, f"--address=127.0.0.1:{self.port}", "--num-cpus=1")
            self.wait_for(count)
        ray.data.DataContext.get_current().enable_progress_bars = False

    def wait_for(self, nodes: int) -> None:
        wait_until(lambda: self.ray.cluster_resources().get("CPU", 0) >= nodes, f"{nodes} nodes")

    def start(self, address: str, *arguments: str) -> None:
        program = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--node-ip-address={address}", "--block"]
        program += ["--object-store-memory=100000000", "--disable-usage-stats", *arguments]
        # A session of its own: the whole node can be killed.
        self.nodes[address] = subprocess.Popen(
            program, env=self.environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def audit(self, roots: list[str], output: str, batch: int) -> Report:
        import sectile.ray

        return sectile.ray.audit(sectile.ray.keys(roots, batch=batch), output)

    def workers(self, node: str) -> list[Any]:
        """The processes of a node that run tasks. A node ends with its agents, which are not among them."""
        commands = [(process, command_of(process)) for process in descendants(self.nodes[node].pid)]
        return [process for process, command in commands if command.startswith("ray::") and "Agent" not in command]

    def kill_node(self, node: str) -> None:
        kill_tree(self.nodes[node].pid)

    def stop(self) -> None:
        self.ray.shutdown()
        for node in self.nodes.values():
            kill_tree(node.pid)
            node.wait()


class Spark:
    """A standalone cluster of Spark."""

    def __init__(self, environment: dict[str, str]) -> None:
        import pyspark

        home = str(Path(pyspark.__file__).parent)
        self.environment = {**os.environ, **environment, "SPARK_HOME": home, "PYSPARK_PYTHON": sys.executable}
        self.environment["SPARK_NO_DAEMONIZE"] = "1"
        os.environ.update(SPARK_HOME=home, PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
        self.script = f"{home}/bin/spark-class"
        self.port = free_port()
        self.nodes = {"127.0.0.1": self.start("master.Master", "127.0.0.1", self.port, "--webui-port", "0")}
        wait_until(lambda: is_open(self.port), "the master")
        master = f"spark://127.0.0.1:{self.port}"
        for node in NODES:
            arguments = ["--webui-port", "0", "--cores", "1", "--memory", "1g", "-d", tempfile.mkdtemp(), master]
            self.nodes[node] = self.start("worker.Worker", node, 0, *arguments)
        from pyspark.sql import SparkSession

        settings = {
            "spark.executor.memory": "512m",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.task.maxFailures": "20",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }
        for name, value in environment.items():
            settings[f"spark.executorEnv.{name}"] = value
        if "PYTHONPATH" in os.environ:
            settings["spark.executorEnv.PYTHONPATH"] = os.environ["PYTHONPATH"]
        builder = SparkSession.builder.master(master)
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")
        wait_until(lambda: all(self.workers(node) for node in NODES), "the executors")

    def start(self, kind: str, address: str, port: int, *arguments: str) -> subprocess.Popen[bytes]:
        program = [self.script, f"org.apache.spark.deploy.{kind}", "--host", address, "--port", str(port), *arguments]
        return subprocess.Popen(
            program, env=self.environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def audit(self, roots: list[str], output: str, batch: int) -> Report:
        import sectile.spark

        return sectile.spark.audit(sectile.spark.keys(self.session, roots, batch=batch), output)

    def workers(self, node: str) -> list[Any]:
        """The executors of a node."""
        processes = descendants(self.nodes[node].pid)
        return [process for process in processes if "CoarseGrainedExecutorBackend" in command_of(process)]

    def kill_node(self, node: str) -> None:
        kill_tree(self.nodes[node].pid)

    def stop(self) -> None:
        self.session.stop()
        for node in self.nodes.values():
            kill_tree(node.pid)
            node.wait()


ENGINES: dict[str, Callable[[dict[str, str]], Cluster]] = {"ray": Ray, "spark": Spark}


def run(engine: str, seed: int, files: int, objects: int) -> str:
    """Audits with kills. Returns a line of the table, or raises."""
    choice = random.Random(seed)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store, output = directory / "store", directory / "report"
        store.mkdir()
        write_files(store, files, choice)
        environment = stack.enter_context(bucket(objects, choice))
        time.sleep(SETTLED)
        roots = [str(store), BUCKET]
        single = sectile.audit(roots)
        cluster = ENGINES[engine](environment)
        stack.callback(cluster.stop)
        batch = max(10, (files + objects) // 60)
        tasks = -(-(files + objects) // batch)
        first = choice.randrange(1, tasks // 3)
        second = choice.randrange(first + 1, tasks * 2 // 3)
        victim, node = choice.choice(NODES), choice.choice(NODES)
        kills: list[str] = []

        def kill() -> None:
            def when(parts: int) -> None:
                wait_until(lambda: len(list(output.glob("*.parquet"))) >= parts, "parts", pause=0.002)

            when(first)
            wait_until(lambda: bool(cluster.workers(victim)), "a worker", pause=0.002)
            worker = choice.choice(cluster.workers(victim))
            worker.kill()
            kills.append(f"worker of {victim} after {len(list(output.glob('*.parquet')))} parts")
            when(second)
            cluster.kill_node(node)
            kills.append(f"node {node} after {len(list(output.glob('*.parquet')))} parts")

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        start = time.monotonic()
        report = cluster.audit(roots, str(output), batch)
        elapsed = time.monotonic() - start
        killer.join(1)
        assert len(kills) == 2, f"the audit ended before the kills: {kills}"
        others = set(os.listdir(output)) ^ set(report.files)
        assert not others, f"the directory has other files than the parts: {others}"
        compare(single, f"{output}/*.parquet")
        assert report.summary == single.summary, "the folded summary is another one"
        return f"| {seed} | {' | '.join(kills)} | {len(report.files)} | {len(single)} | 0 | {elapsed:.1f} |"


def compare(single: sectile.Table, parts: str) -> None:
    """Asserts that two sets of rows are equal over all columns."""
    expected = pa.table(single)
    connection = duckdb.connect()
    connection.register("expected", expected)
    for one, other in ((f"'{parts}'", "expected"), ("expected", f"'{parts}'")):
        rows = connection.sql(f"SELECT file FROM (SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other}) LIMIT 3").fetchall()
        assert not rows, f"only in {one}: {rows}"


def descendants(pid: int) -> list[Any]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def command_of(process: Any) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def kill_tree(pid: int) -> None:
    """Kills a process that this program started, and its descendants."""
    for process in descendants(pid):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], what: str, pause: float = 0.1, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not after {seconds} seconds")
        time.sleep(pause)


def give_up(*_: object) -> None:
    """Ends the run of a seed, so that its cluster is stopped."""
    raise TimeoutError("no report in time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES, default="ray")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--objects", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    arguments = parser.parse_args()
    print("| seed | first kill | second kill | parts | rows | rows that differ | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        # Engines keep state in the process of the driver.
        if arguments.seeds > 1:
            one = ["--engine", arguments.engine, "--seeds", "1", "--first", str(seed)]
            one += ["--files", str(arguments.files), "--objects", str(arguments.objects)]
            result = subprocess.run([sys.executable, __file__, *one], stdout=subprocess.PIPE, text=True, check=True)
            # Ray prints messages, too.
            print(next(line for line in result.stdout.splitlines() if line.startswith(f"| {seed} |")), flush=True)
        else:
            signal.signal(signal.SIGALRM, give_up)
            signal.alarm(max(SECONDS, (arguments.files + arguments.objects) // 10))
            print(run(arguments.engine, seed, arguments.files, arguments.objects))


if __name__ == "__main__":
    main()
