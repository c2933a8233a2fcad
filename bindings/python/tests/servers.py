"""Servers on loopback for the tests: a bucket as in S3, and a registry."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, bytes]
"""Status and body."""


@contextmanager
def serve(answer: Callable[[str], Answer]) -> Iterator[int]:
    """Answers GET requests by their path and query. Returns the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = answer(self.path)
            fields = {"ETag": '"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if asked and status == 200:
                start, end = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
                fields["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
                status, body = 206, body[start : end + 1]
            self.send_response(status)
            for name, value in {**fields, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Bucket:
    """The bucket `store`."""

    objects: dict[str | bytes, bytes] = field(default_factory=dict)
    """By key. A key of bytes is listed as it is."""
    denies: bool = False
    """Whether listings are denied."""

    def answer(self, path: str) -> Answer:
        place, _, query = path.partition("?")
        encoded = {key if isinstance(key, bytes) else key.encode(): body for key, body in self.objects.items()}
        asked = dict(urllib.parse.parse_qsl(query))
        if "list-type" not in asked:
            key = urllib.parse.unquote_to_bytes(place.removeprefix("/store/"))
            return (200, encoded[key]) if key in encoded else (404, b"")
        if self.denies:
            return 403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        after = asked.get("start-after", "").encode() or bytes.fromhex(asked.get("continuation-token", ""))
        keys = [key for key in sorted(encoded) if key.startswith(asked.get("prefix", "").encode()) and key > after]
        page = keys[: int(asked.get("max-keys", 1000))]
        entries = [
            b"<Contents><Key>%s</Key><Size>%d</Size><ETag>&quot;1&quot;</ETag>"
            b"<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            % (escaped(key), len(encoded[key]))
            for key in page
        ]
        more = f"<NextContinuationToken>{page[-1].hex()}</NextContinuationToken>" if len(page) < len(keys) else ""
        head = f"<ListBucketResult><Name>store</Name><IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}"
        return 200, b"%s%s</ListBucketResult>" % (head.encode(), b"".join(entries))


def escaped(key: bytes) -> bytes:
    """A key in XML, which may be malformed."""
    for byte, name in ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b"\r", b"&#13;"), (b"\n", b"&#10;")):
        key = key.replace(byte, name)
    return key


@dataclass
class Registry:
    """A registry. Blobs and manifests are in all repositories."""

    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    """Digests of manifests by repository and tag."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    """By digest."""

    def add(self, data: bytes) -> str:
        """Adds a blob. Returns its digest."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return digest

    def push(self, repository: str, tag: str, *layers: bytes) -> None:
        """Adds an image."""
        media_type = "application/vnd.oci.image.{}"
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_type.format("manifest.v1+json"),
            "config": {"mediaType": media_type.format("config.v1+json"), "digest": self.add(b"{}"), "size": 2},
            "layers": [{"mediaType": "application/wasm", "digest": self.add(layer), "size": len(layer)} for layer in layers],
        }
        self.tags.setdefault(repository, {})[tag] = self.add(json.dumps(manifest).encode())

    def answer(self, path: str) -> Answer:
        path = path.partition("?")[0]
        if path == "/v2/_catalog":
            return 200, json.dumps({"repositories": list(self.tags)}).encode()
        if asked := re.fullmatch(r"/v2/(.+)/(tags|manifests|blobs)/(.+)", path):
            repository, kind, name = asked.groups()
            tags = self.tags.get(repository, {})
            if kind == "tags" and tags:
                return 200, json.dumps({"name": repository, "tags": list(tags)}).encode()
            if (digest := tags.get(name, name)) in self.blobs:
                return 200, self.blobs[digest]
        return (200, b"{}") if path == "/v2/" else (404, b'{"errors":[]}')
