"""Runs a registry on loopback, Debian's `docker-registry`, and inspects its contents."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from . import tools

PROGRAM = "docker-registry"

CONFIG = """version: 0.1
log:
  level: error
storage:
  filesystem:
    rootdirectory: {storage}
http:
  addr: {address}
"""


def is_there():
    return tools.is_there(PROGRAM)


class Registry:
    """A registry process, as a context manager."""

    def __init__(self, directory):
        directory.mkdir()
        self.storage = directory / "storage"
        self.address = f"127.0.0.1:{free_port()}"
        self.config = directory / "config.yml"
        self.config.write_text(CONFIG.format(storage=self.storage, address=self.address))

    def __enter__(self):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([PROGRAM, "serve", str(self.config)], **quiet)
        deadline = time.monotonic() + 30
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"compare: {PROGRAM} does not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def answers(self):
        try:
            return urllib.request.urlopen(f"http://{self.address}/v2/", timeout=5).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def empty(self):
        """Deletes all images, so that a push sends everything, and waits for the disk."""
        shutil.rmtree(self.storage / "docker", ignore_errors=True)
        os.sync()

    def manifests(self, repository):
        """Returns all pushed manifests by digest, including those that a tag no longer refers to."""
        revisions = self.storage / f"docker/registry/v2/repositories/{repository}/_manifests/revisions/sha256"
        return {path.name: json.loads(self.blob(path.name)) for path in revisions.glob("*")} if revisions.exists() else {}

    def blob(self, digest):
        digest = digest.removeprefix("sha256:")
        return (self.storage / f"docker/registry/v2/blobs/sha256/{digest[:2]}/{digest}/data").read_bytes()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
