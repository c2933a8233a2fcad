"""Calls every function with mutated input. Usage: python fuzz.py [option of libFuzzer…] [directory of inputs…]

Anything but the documented exceptions ends the run, such as a panic. Atheris sees the branches of the Python code. Those of
the library are not instrumented here: the targets in `fuzz` cover them.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports():
    import sectile


class Choices:
    """Values that the input decides on."""

    def __init__(self, data: bytes) -> None:
        self.data = atheris.FuzzedDataProvider(data)

    def text(self) -> str:
        """A text, which may have lone surrogates."""
        return str(self.data.ConsumeUnicode(self.data.ConsumeIntInRange(0, 20)))

    def flag(self) -> bool:
        return bool(self.data.ConsumeBool())

    def chunk(self) -> bytes:
        return bytes(self.data.ConsumeBytes(self.data.ConsumeIntInRange(0, 1_000)))

    def rest(self) -> bytes:
        return bytes(self.data.ConsumeBytes(self.data.remaining_bytes()))

    def field(self) -> str:
        return self.text() if self.flag() else str(self.data.PickValueInList(list(sectile.FIELDS)))

    def number(self) -> int:
        return int(self.data.ConsumeInt(9))


def read(choose: Choices) -> object:
    metadata = sectile.read(io.BytesIO(choose.rest()) if choose.flag() else choose.rest())
    return [[getattr(item, name) for name in dir(item)] for item in metadata.items], metadata.findings, metadata.to_json()


def edit(choose: Choices) -> object:
    keywords = {"set": {choose.field(): choose.text()}, "put": {choose.text(): choose.chunk()}, "remove": [choose.text()]}
    producers = [(choose.text(), choose.text(), choose.text())]
    new, _ = sectile.edit(choose.rest(), producers=producers, allow_invalid=choose.flag(), **keywords)  # type: ignore[call-overload]
    return sectile.read(new)


def audit(choose: Choices) -> object:
    missing = "/nonexistent/" + choose.text()  # neither the network nor files
    kind, size = choose.data.PickValueInList(["file", "root", "", "other"]), choose.number()
    return sectile.audit(sectile.Key(kind, missing, missing, [choose.text()], size, choose.text(), size), day=choose.text())


CALLS: list[Callable[[Choices], object]] = [
    read,
    edit,
    audit,
    lambda choose: sectile.strip(choose.rest(), keep=[choose.text()], all=choose.flag()),
    lambda choose: sectile.packages(choose.rest(), recovered=choose.flag()),
    lambda choose: sectile.sections(choose.rest()),
    lambda choose: sectile.digest(choose.rest()),
    lambda choose: sectile.sbom(choose.rest(), choose.data.PickValueInList(list(sectile.SBOM_FORMATS)), created=choose.text()),
    lambda choose: sectile.check(choose.rest(), sectile.Policy.parse(choose.text())),
    lambda choose: sectile.check(choose.rest(), recovered=choose.flag()),
    lambda choose: sectile.diff(choose.chunk(), choose.rest(), content=choose.flag()),
    lambda choose: sectile.Policy.parse(choose.rest().decode(errors="surrogateescape"), choose.text()),
    lambda choose: sectile.Summary(choose.rest().decode(errors="replace")).to_json(),
]


def call(data: bytes) -> None:
    """Calls the function that the first byte selects."""
    if not data:
        return
    try:
        CALLS[data[0] % len(CALLS)](Choices(data[1:]))
    except (ValueError, OSError, TypeError, OverflowError):  # SectileError and UnicodeEncodeError are ValueErrors
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, call)
    atheris.Fuzz()
