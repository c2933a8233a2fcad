"""The library by Python's ctypes, compared with the command. `.ci/c` sets LIBRARY, HEADER and SECTILE."""

from __future__ import annotations

import base64
import ctypes
import datetime
import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import abi  # noqa: E402

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "tests/files").glob("*.wasm"))
HEADER = Path(os.environ["HEADER"]).read_text()
COMMAND = os.environ["SECTILE"]
LIBRARY = ctypes.CDLL(os.environ["LIBRARY"])
OK, ARGUMENT, IO, NOT_WASM, MALFORMED, LIMIT = range(6)
DOCUMENTS = [
    (1, ["show"]),
    (2, ["show", "--interface"]),
    (3, ["show", "--packages", "all"]),
    (4, ["sections"]),
    (5, ["digest"]),
]


class Buffer(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("len", c_size_t)]

    def take(self) -> bytes:
        """The bytes, which are freed."""
        data = ctypes.string_at(self.data, self.len) if self.data else b""
        LIBRARY.sectile_buffer_free(byref(self))
        return data


class Error(ctypes.Structure):
    _fields_ = [("status", c_int32), ("system", c_int32), ("offset", c_uint64), ("message", c_char_p)]


def declare() -> None:
    """Tells ctypes the types of the parameters, from the header."""
    types = {"size_t": c_size_t, "uint32_t": c_uint32, "uint64_t": c_uint64, "int64_t": c_int64}
    for name, text in DECLARATIONS.items():
        if name not in FUNCTIONS:
            continue
        result, parameters = text.split(f"{name}(", 1)
        function = getattr(LIBRARY, name)
        results = {"void": None, "size_t": c_size_t, "uint32_t": c_uint32, "const char*": c_char_p}
        function.restype = results.get(result.strip(), c_int32)
        function.argtypes = [
            types.get(parameter.rsplit(" ", 1)[0], c_void_p)
            for parameter in parameters.rstrip(")").split(",")
            if parameter != "void"
        ]


DECLARATIONS = abi.declarations(HEADER)
FUNCTIONS = abi.functions(DECLARATIONS)
declare()


class Source:
    """A source, which is freed at the end of the block."""

    def __init__(self, content: Path | bytes) -> None:
        self.handle = c_void_p()
        self.content = content
        if isinstance(content, Path):
            status = LIBRARY.sectile_source_open(os.fsencode(content), byref(self.handle), None)
        else:
            status = LIBRARY.sectile_source_bytes(content, len(content), byref(self.handle), None)
        assert status == OK, status

    def __enter__(self) -> c_void_p:
        return self.handle

    def __exit__(self, *_: object) -> None:
        LIBRARY.sectile_source_free(self.handle)


def command(*arguments: object, stdin: bytes | None = None) -> bytes:
    """The document of the command, without the line feed at its end."""
    run = subprocess.run([COMMAND, *map(str, arguments)], input=stdin, capture_output=True, check=False)
    return run.stdout.removesuffix(b"\n")


def document(source: Path | bytes, number: int) -> tuple[int, bytes]:
    text = Buffer()
    with Source(source) as handle:
        status = LIBRARY.sectile_json(handle, number, byref(text), None)
    return status, text.take()


def show(source: Path | bytes) -> tuple[int, bytes]:
    metadata, text = c_void_p(), Buffer()
    with Source(source) as handle:
        status = LIBRARY.sectile_read(handle, byref(metadata), None)
    if metadata:
        assert LIBRARY.sectile_metadata_json(metadata, byref(text), None) == OK
        LIBRARY.sectile_metadata_free(metadata)
    return status, text.take()


class Documents(unittest.TestCase):
    def test_documents_are_those_of_the_command(self) -> None:
        for file in FILES:
            with self.subTest(file=file.name):
                self.assertEqual(show(file), (OK, command("show", "--json", file)))
                for number, arguments in DOCUMENTS:
                    self.assertEqual(document(file, number), (OK, command(*arguments, "--json", file)))

    def test_documents_of_malformed_files_are_those_of_the_command(self) -> None:
        data = (ROOT / "tests/files/clang-fib.component.wasm").read_bytes()
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "cut.wasm"
            for cut, expected in [(0, NOT_WASM), (6, NOT_WASM), (len(data) // 2, MALFORMED), (len(data) - 1, MALFORMED)]:
                with self.subTest(cut=cut):
                    file.write_bytes(data[:cut])
                    status, text = show(file)
                    self.assertEqual(status, expected)
                    self.assertIn(text, {command("show", "--json", file), b""})
                    for number, arguments in DOCUMENTS:
                        self.assertEqual(document(file, number), (expected, command(*arguments, "--json", file)))

    def test_sboms_are_those_of_the_command(self) -> None:
        file = ROOT / "tests/files/rust-auditable.component.wasm"
        for number, name in [(6, "cyclonedx"), (7, "spdx")]:
            status, text = document(file, number)
            expected = command("sbom", "--packages", "all", "--format", name, file)
            self.assertEqual((status, text), (OK, expected))

    def test_verdicts_are_those_of_the_command(self) -> None:
        toml = b'[[required]]\nfields = ["licenses", "source"]\n[[producers]]\nfields = "language"\nnames = "Rust"\n'
        with tempfile.TemporaryDirectory() as directory:
            policy_file = Path(directory) / "policy.toml"
            policy_file.write_bytes(toml)
            policy, accepted, verdict = c_void_p(), c_uint32(), Buffer()
            name = os.fsencode(policy_file)
            self.assertEqual(LIBRARY.sectile_policy_parse(toml, name, byref(policy), None), OK)
            for file in FILES:
                with self.subTest(file=file.name), Source(file) as handle:
                    status = LIBRARY.sectile_check(handle, policy, 0, 0, byref(accepted), byref(verdict), None)
                    self.assertEqual(status, OK)
                    expected = command("check", "--json", "--policy", policy_file, file)
                    self.assertEqual(verdict.take(), expected)
                    self.assertEqual(b'"accepted":true' in expected, accepted.value == 1)
            LIBRARY.sectile_policy_free(policy)


class Edits(unittest.TestCase):
    def test_edits_are_those_of_the_command(self) -> None:
        for file in FILES:
            data = file.read_bytes()
            with self.subTest(file=file.name), tempfile.TemporaryDirectory() as directory:
                path = Path(directory) / "edited.wasm"
                path.write_bytes(data)
                edit, edited, changes = c_void_p(), Buffer(), Buffer()
                self.assertEqual(LIBRARY.sectile_edit_new(0, byref(edit), None), OK)
                self.assertEqual(LIBRARY.sectile_edit_set(edit, b"licenses", b"ISC", None), OK)
                self.assertEqual(LIBRARY.sectile_edit_add_producer(edit, b"sdk", b"Kit", b"1.0", None), OK)
                status = LIBRARY.sectile_edit_bytes(edit, data, len(data), byref(edited), byref(changes), None)
                self.assertEqual(status, OK)
                arguments = ["set", "--json", "--licenses", "ISC", "--sdk", "Kit=1.0"]
                self.assertEqual(changes.take(), command(*arguments, "-", "-o", path, stdin=data))
                self.assertEqual(edited.take(), path.read_bytes())
                path.write_bytes(data)
                expected = command(*arguments, path)
                after = path.read_bytes()
                path.write_bytes(data)
                self.assertEqual(LIBRARY.sectile_edit_file(edit, os.fsencode(path), byref(changes), None), OK)
                self.assertEqual((changes.take(), path.read_bytes()), (expected, after))
                LIBRARY.sectile_edit_free(edit)


class SharedCases(unittest.TestCase):
    """The cases that every binding runs: tests/shared/README.md."""

    def test_answers_are_those_of_the_library(self) -> None:
        shared = json.loads((ROOT / "tests/shared/cases.json").read_text())
        self.assertGreater(len(shared["cases"]), 500)
        for case in shared["cases"]:
            given = shared["inputs"][case["input"]]
            data = base64.b64decode(given["base64"]) if "base64" in given else (ROOT / given["file"]).read_bytes()
            request = case["request"]
            answer = getattr(self, f"answer_{request['operation']}")(data, request)
            if answer is None:
                continue  # the library has no such parameter
            with self.subTest(**case["request"], input=case["input"]):
                self.assertEqual({key: case["answer"][key] for key in answer}, answer)
                self.assertIn("error" if "error" in case["answer"] else "document", answer)

    def answer_read(self, data: bytes, _: object) -> dict[str, object]:
        return {"document": document(data, 1)[1].decode()}

    def answer_inventory(self, data: bytes, _: object) -> dict[str, object]:
        return {"document": document(data, 3)[1].decode()}

    def answer_sections(self, data: bytes, _: object) -> dict[str, object]:
        return {"document": document(data, 4)[1].decode()}

    def answer_check(self, data: bytes, request: dict[str, Any]) -> dict[str, object] | None:
        if "locations" in request:
            return None  # a source of bytes has none
        accepted, verdict = c_uint32(), Buffer()
        with Source(data) as handle, self.policy(request) as policy:
            assert LIBRARY.sectile_check(handle, policy, 0, 0, byref(accepted), byref(verdict), None) == OK
        return {"document": verdict.take().decode()}

    def answer_push(self, data: bytes, request: dict[str, Any]) -> dict[str, object] | None:
        push, metadata, text = c_void_p(), c_void_p(), Buffer()
        assert LIBRARY.sectile_push_new(byref(push), None) == OK
        for chunk in chunks(data, request["chunks"]):
            if LIBRARY.sectile_push_feed(push, chunk, len(chunk), None) != OK:
                break
        LIBRARY.sectile_push_end(push, byref(metadata), None)
        LIBRARY.sectile_push_free(push)
        if not metadata:
            return None  # not WebAssembly: `sectile_json` describes it
        assert LIBRARY.sectile_metadata_json(metadata, byref(text), None) == OK
        LIBRARY.sectile_metadata_free(metadata)
        return {"document": text.take().decode()}

    def answer_gate(self, data: bytes, request: dict[str, Any]) -> dict[str, object]:
        gate, verdict, error = c_void_p(), Buffer(), POINTER(Error)()
        day = datetime.datetime.fromisoformat(f"{request.get('day', '1970-01-01')}T00:00:00+00:00")
        location = "".join(request.get("locations", [])).encode() or None
        lengths = [request.get(key, 2**64 - 1) for key in ("declared_len", "max_bytes")]
        with self.policy(request) as policy:
            made = LIBRARY.sectile_gate_new(policy, location, int(day.timestamp()), *lengths, byref(gate), None)
            assert made == OK
        for chunk in chunks(data, request["chunks"]):
            if LIBRARY.sectile_gate_feed(gate, chunk, len(chunk), None) != OK:
                break
        status = LIBRARY.sectile_gate_end(gate, byref(verdict), byref(error))
        LIBRARY.sectile_gate_free(gate)
        answer: dict[str, object] = {"document": verdict.take().decode(), "accepted": status == OK}
        return answer if status == OK else {**answer, "message": taken(error)["message"]}

    def answer_edit(self, data: bytes, request: dict[str, Any]) -> dict[str, object]:
        wanted = request["edit"]
        with self.edit(1 if wanted.get("allow_invalid") else 0) as (edit, step):
            step("at", wanted.get("item", "").encode())
            for field, value in wanted.get("set", []):
                step("set", field.encode(), value.encode())
            for field in wanted.get("unset", []):
                step("unset", field.encode())
            if "name" in wanted:
                step("set", b"name", wanted["name"].encode())
            for producer in wanted.get("producers", []):
                step("add_producer", *(part.encode() for part in producer))
            for section, value in wanted.get("put", []):
                content = base64.b64decode(value)
                step("put", section.encode(), content, len(content))
            for pattern in wanted.get("remove", []):
                step("remove", pattern.encode())
            return self.edited(edit, data)

    def answer_strip(self, data: bytes, request: dict[str, Any]) -> dict[str, object]:
        wanted = request["strip"]
        options = sum(bit for bit, key in [(1, "names"), (2, "all"), (4, "item")] if wanted.get(key) not in (None, False))
        keep = (c_char_p * len(wanted.get("keep", [])))(*(pattern.encode() for pattern in wanted.get("keep", [])))
        with self.edit(0) as (edit, step):
            step("at", wanted.get("item", "").encode())
            step("strip", options, keep, len(keep))
            return self.edited(edit, data)

    @contextmanager
    def edit(self, options: int) -> Iterator[tuple[c_void_p, Callable[..., None]]]:
        """An edit, and a function that adds a change. The edit keeps an error, and gives it at the end."""
        edit = c_void_p()
        assert LIBRARY.sectile_edit_new(options, byref(edit), None) == OK
        yield edit, lambda name, *arguments: getattr(LIBRARY, f"sectile_edit_{name}")(edit, *arguments, None) and None
        LIBRARY.sectile_edit_free(edit)

    def edited(self, edit: c_void_p, data: bytes) -> dict[str, object]:
        new, changes, error = Buffer(), Buffer(), POINTER(Error)()
        if LIBRARY.sectile_edit_bytes(edit, data, len(data), byref(new), byref(changes), byref(error)) != OK:
            return {"error": taken(error)}
        return {"document": changes.take().decode(), "sha256": f"sha256:{hashlib.sha256(new.take()).hexdigest()}"}

    @contextmanager
    def policy(self, request: dict[str, Any]) -> Iterator[c_void_p | None]:
        if "policy" not in request:
            yield None
            return
        policy, text = c_void_p(), (ROOT / request["policy"]).read_bytes()
        assert LIBRARY.sectile_policy_parse(text, request["policy"].encode(), byref(policy), None) == OK
        yield policy
        LIBRARY.sectile_policy_free(policy)


def chunks(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The parts of the data, by sizes that repeat."""
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(data):
            return
        yield data[start : start + size]
        start += size


def taken(error: Any) -> dict[str, object]:
    """The fields of an error, which is freed."""
    offset = error.contents.offset
    fields = {"message": error.contents.message.decode(), "offset": None if offset == 2**64 - 1 else offset}
    LIBRARY.sectile_error_free(error)
    return fields


class Boundary(unittest.TestCase):
    def test_every_function_rejects_null(self) -> None:
        self.assertGreater(len(FUNCTIONS), 20)
        for name in sorted(FUNCTIONS - {"sectile_abi_version", "sectile_version"}):
            function = getattr(LIBRARY, name)
            result = function(*[None if one is c_void_p else 0 for one in function.argtypes])
            with self.subTest(function=name):
                expected = {None: None, c_size_t: 0, c_int32: ARGUMENT}[function.restype]
                self.assertEqual(result, expected)

    def test_any_input_has_a_status(self) -> None:
        data = (ROOT / "tests/files/wit-package.component.wasm").read_bytes()
        random.seed(20)
        for _ in range(1500):
            damaged = bytearray(data[: random.randrange(len(data) + 1)])
            for _ in range(random.randrange(4)):
                if damaged:
                    damaged[random.randrange(len(damaged))] = random.randrange(256)
            status, text = show(bytes(damaged))
            self.assertIn(status, [OK, NOT_WASM, MALFORMED, LIMIT])
            self.assertEqual(bool(text), status in [OK, MALFORMED, LIMIT])
            self.assertIn(document(bytes(damaged), random.randrange(1, 8))[0], [OK, NOT_WASM, MALFORMED, LIMIT])


class Interface(unittest.TestCase):
    def test_changed_declarations_need_a_new_version(self) -> None:
        changed = {**DECLARATIONS, "sectile_item_count": "uint32_t sectile_item_count(const sectile_metadata*metadata)"}
        removed = {name: text for name, text in DECLARATIONS.items() if name != "sectile_buffer"}
        longer = {**DECLARATIONS, "sectile_view": DECLARATIONS["sectile_view"].replace("len;", "len;size_t more;")}
        for found in [changed, removed, longer]:
            self.assertIn("increase", " ".join(abi.faults(found, FUNCTIONS, DECLARATIONS)))
            newer = {**found, abi.VERSION: "2"}
            self.assertNotIn("increase", " ".join(abi.faults(newer, FUNCTIONS, DECLARATIONS)))
        added = {**DECLARATIONS, "SECTILE_MORE": "7"}
        self.assertIn("BLESS", " ".join(abi.faults(added, FUNCTIONS, DECLARATIONS)))
        self.assertEqual(abi.faults(DECLARATIONS, FUNCTIONS, DECLARATIONS), [])
        missing = abi.faults(DECLARATIONS, FUNCTIONS - {"sectile_read"}, DECLARATIONS)
        self.assertEqual(missing, ["`sectile_read` is not in both the header and the library"])


if __name__ == "__main__":
    unittest.main()
