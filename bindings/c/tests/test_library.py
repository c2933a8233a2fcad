"""The library by Python's ctypes, compared with the command. `.ci/c` sets LIBRARY, HEADER and SECTILE."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import sys
import tempfile
import unittest
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import abi  # noqa: E402

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "tests/files").glob("*.wasm"))
HEADER = Path(os.environ["HEADER"]).read_text()
COMMAND = os.environ["SECTILE"]
LIBRARY = ctypes.CDLL(os.environ["LIBRARY"])
OK, ARGUMENT, IO, NOT_WASM, MALFORMED, LIMIT = range(6)
DOCUMENTS = [
    (1, ["show", "--interface"]),
    (2, ["show", "--packages", "all"]),
    (3, ["sections"]),
    (4, ["digest"]),
]


class Buffer(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("len", c_size_t)]

    def take(self) -> bytes:
        """The bytes, which are freed."""
        data = ctypes.string_at(self.data, self.len) if self.data else b""
        LIBRARY.sectile_buffer_free(byref(self))
        return data


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
    json = Buffer()
    with Source(source) as handle:
        status = LIBRARY.sectile_json(handle, number, byref(json), None)
    return status, json.take()


def show(source: Path | bytes) -> tuple[int, bytes]:
    metadata, json = c_void_p(), Buffer()
    with Source(source) as handle:
        status = LIBRARY.sectile_read(handle, byref(metadata), None)
    if metadata:
        assert LIBRARY.sectile_metadata_json(metadata, byref(json), None) == OK
        LIBRARY.sectile_metadata_free(metadata)
    return status, json.take()


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
                    status, json = show(file)
                    self.assertEqual(status, expected)
                    self.assertIn(json, {command("show", "--json", file), b""})
                    for number, arguments in DOCUMENTS:
                        self.assertEqual(document(file, number), (expected, command(*arguments, "--json", file)))

    def test_sboms_are_those_of_the_command(self) -> None:
        file = ROOT / "tests/files/rust-auditable.component.wasm"
        for number, name in [(5, "cyclonedx"), (6, "spdx")]:
            status, json = document(file, number)
            expected = command("sbom", "--packages", "all", "--format", name, file)
            self.assertEqual((status, json), (OK, expected))

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
            status, json = show(bytes(damaged))
            self.assertIn(status, [OK, NOT_WASM, MALFORMED, LIMIT])
            self.assertEqual(bool(json), status in [OK, MALFORMED, LIMIT])
            self.assertIn(document(bytes(damaged), random.randrange(1, 7))[0], [OK, NOT_WASM, MALFORMED, LIMIT])


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
