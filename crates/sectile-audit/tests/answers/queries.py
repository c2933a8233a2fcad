"""Runs the questions of docs/queries.md with DuckDB and Polars, and compares the answers.

`SECTILE` is the command. It audits a small store twice; the queries read its Parquet files.
"""

import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

import duckdb
import polars

PAGE = Path(__file__).resolve().parents[4] / "docs" / "queries.md"
SECTILE = os.path.abspath(os.environ["SECTILE"])

POLICY = """\
[[licenses]]
deny = ["GPL-3.0-only"]

[[required]]
fields = ["licenses"]
"""

ADVISORY = {
    "id": "RUSTSEC-2023-0072",
    "modified": "2023-11-24T12:00:00Z",
    "summary": "`openssl` `X509StoreRef::objects` is unsound",
    "affected": [{
        "package": {"ecosystem": "crates.io", "name": "openssl"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.10.29"}, {"fixed": "0.10.60"}]}],
    }],
}

OPENSSL = [("openssl", "0.10.55"), ("serde", "1.0.200")]

# The answers to the questions, in their order.
ANSWERS = [
    [
        ("store/payments/app.wasm", "openssl", "0.10.55"),
        ("store/search/bundle.tgz!package/lib.wasm", "openssl", "0.10.61"),
    ],
    [
        ("store/payments/app.wasm", "changed"),
        ("store/payments/new.wasm", "new"),
        ("store/payments/old.wasm", "gone"),
    ],
    [
        (
            "store/payments/app.wasm",
            "refused-advisory",
            "`openssl` 0.10.55 has RUSTSEC-2023-0072 (vulnerability): `openssl` `X509StoreRef::objects` is unsound;"
            " fixed in 0.10.60",
            None,
        ),
        (
            "store/payments/new.wasm",
            "refused-license",
            "the license `GPL-3.0-only` is refused: `GPL-3.0-only` is denied",
            "policy.toml:1",
        ),
        ("store/search/bare.wasm", "missing-field", "`licenses` is required, but is missing", "policy.toml:4"),
    ],
    [("rustc", "1.80.0", 1), ("rustc", "1.90.0", 2), ("tinygo", "0.31.2", 2)],
    [
        ("payments", "GPL-3.0-only", 1),
        ("payments", "MIT", 1),
        ("search", "Apache-2.0", 2),
        ("search", "MIT", 1),
        ("search", None, 2),
    ],
    [("openssl", 2, "0.10.55", "0.10.61")],
    [("store/search/cut.wasm", "partial")],
    [(".debug_*", 1, 615)],
    [("RUSTSEC-2023-0072", "openssl", 1)],
    [("store/search/copy.wasm", "store/search/index.wasm")],
]


def leb128(number: int) -> bytes:
    encoded = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        encoded.append(low | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def prefixed(data: bytes) -> bytes:
    return leb128(len(data)) + data


def custom(name: str, data: bytes) -> bytes:
    return b"\0" + prefixed(prefixed(name.encode()) + data)


def module(license=None, version=None, tool=None, packages=(), debug=0) -> bytes:
    sections = []
    if debug:
        sections.append(custom(".debug_info", bytes(debug)))
    if packages:
        listed = [{"name": name, "version": of, "source": "crates.io"} for name, of in packages]
        root = {"name": "app", "version": "0.1.0", "source": "local", "root": True}
        graph = {"packages": [root, *listed]}
        sections.append(custom(".dep-v0", zlib.compress(json.dumps(graph).encode())))
    if tool:
        name, of = (prefixed(part.encode()) for part in tool)
        sections.append(custom("producers", leb128(1) + prefixed(b"processed-by") + leb128(1) + name + of))
    if license:
        sections.append(custom("licenses", license.encode()))
    if version:
        sections.append(custom("version", version.encode()))
    return b"\0asm\x01\0\0\0" + b"".join(sections)


def tgz(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def write_store(store: Path, day: int) -> None:
    rust, tinygo = ("rustc", "1.90.0"), ("tinygo", "0.31.2")
    index = module("Apache-2.0", "2.0.0", tinygo)
    lib = module("MIT", "3.0.0", rust, [("openssl", "0.10.61")])
    files = {
        "payments/app.wasm": module("MIT", f"1.{day}.0", rust, OPENSSL),
        "search/index.wasm": index,
        "search/copy.wasm": index,
        "search/bare.wasm": module(),
        "search/cut.wasm": module(version="1.0.0")[:-2],
        "search/bundle.tgz": tgz("package/lib.wasm", lib),
    }
    if day == 1:
        files["payments/old.wasm"] = module("MIT", tool=rust)
        (store / "payments").mkdir(parents=True)
        (store / "search").mkdir()
    else:
        (store / "payments/old.wasm").unlink()
        files["payments/new.wasm"] = module("GPL-3.0-only", tool=("rustc", "1.80.0"), debug=600)
    for name, data in files.items():
        (store / name).write_bytes(data)


def audit(directory: Path, report: str) -> None:
    arguments = ["audit", "store", "--hash", "--policy", "policy.toml", "--advisories", "advisories", "-o", report]
    environment = {**os.environ, "SECTILE_CONFIG": ""}
    run = subprocess.run([SECTILE, *arguments], cwd=directory, env=environment, stderr=subprocess.PIPE, text=True)
    assert run.returncode in (1, 2), run.stderr


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    questions = re.findall(r"^## (\d+\. .*?)\n.*?```sql\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    assert len(questions) == len(ANSWERS), len(questions)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "policy.toml").write_text(POLICY)
        (directory / "advisories").mkdir()
        (directory / "advisories" / f"{ADVISORY['id']}.json").write_text(json.dumps(ADVISORY))
        for day, report in ((1, "before.parquet"), (2, "rows.parquet")):
            write_store(directory / "store", day)
            audit(directory, report)
        tables = {stem: str(directory / f"{stem}.parquet") for stem in ("rows", "before")}
        duck = duckdb.connect()
        for table, path in tables.items():
            duck.execute(f"CREATE VIEW {table} AS SELECT * FROM '{path}'")
        lazy = polars.SQLContext({table: polars.scan_parquet(path) for table, path in tables.items()})
        failed = 0
        for (title, query), expected in zip(questions, ANSWERS):
            answers = {
                "DuckDB": lambda: duck.execute(query).fetchall(),
                "Polars": lambda: lazy.execute(query, eager=True).rows(),
            }
            for engine, ask in answers.items():
                answer = ask()
                if answer != expected:
                    failed += 1
                    print(f"{title} {engine}:\n  {answer}\nexpected\n  {expected}")
    print(f"{len(questions)} questions, each asked of DuckDB {duckdb.__version__} and Polars {polars.__version__}")
    sys.exit(1 if failed else 0)


main()
