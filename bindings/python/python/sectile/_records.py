"""The records that functions return: immutable, comparable, and fit for other processes.

An *item* is a module or a component. Its path lists the child index at each level, such as `3/0`; the path of the root
is empty. Offsets and ranges are in bytes from the start of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

if TYPE_CHECKING:
    from ._sectile import Metadata

Range = tuple[int, int]


class SectileError(ValueError):
    """The input or an argument is not valid.

    >>> import sectile
    >>> try:
    ...     sectile.read(b"\\0asm\\1\\0\\0\\0" + b"\\0\\x0c\\x08licensesMIT" + b"\\x0a\\x7f")
    ... except sectile.SectileError as error:
    ...     print(error.offset, error.partial.root.licenses)
    24 MIT
    """

    offset: int | None
    """Offset of the fault in the source, if it has one."""
    item_path: str | None
    """Path of the item that contains the fault; `None` if the fault is not in an input."""
    line: int | None
    """Line of the fault in a policy, from 1."""
    column: int | None
    """Column of the fault in a policy, from 1."""
    partial: Metadata | None
    """The metadata that was read before the fault, from `read`. A copy of the error in another process has none."""

    def __init__(
        self,
        message: str,
        offset: int | None = None,
        item_path: str | None = None,
        line: int | None = None,
        column: int | None = None,
        partial: Metadata | None = None,
    ) -> None:
        super().__init__(message)
        self.offset = offset
        self.item_path = item_path
        self.line = line
        self.column = column
        self.partial = partial

    def __reduce__(self) -> tuple[type[SectileError], tuple[object, ...]]:
        return type(self), (*self.args, self.offset, self.item_path, self.line, self.column)


@dataclass(frozen=True, slots=True)
class Finding:
    """An anomaly in a source. The project's `docs/findings.md` describes each code."""

    code: str
    severity: str
    """`note`, `warning` or `error`."""
    message: str
    offset: int
    path: str
    """Path of the item that contains it."""
    section: str | None
    """Name of the custom section that contains it."""
    count: int
    """Number of occurrences that the finding represents."""


@dataclass(frozen=True)
class JudgedFinding(Finding):
    """A finding as a policy judges it. `severity` is the policy's."""

    refused: bool
    """Whether the policy refuses the finding."""
    rule: str | None
    """Place in the policy of the broken rule, such as `policy.toml:12`."""
    excepted: str | None
    """Reason of the exception that excuses the finding."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgment of a source by a policy."""

    accepted: bool
    """Whether the source was read to its end, and no finding is refused."""
    complete: bool
    """Whether the source was read to its end. If not, it is malformed, truncated, or not WebAssembly."""
    error: str | None
    """Reason why the source was not read to its end."""
    findings: tuple[JudgedFinding, ...]
    """Every finding that the policy does not ignore."""
    excepted: int
    """Number of findings that exceptions excuse."""
    json: str

    def to_json(self) -> str:
        """Returns the document of `sectile check --json`."""
        return self.json


class Key(NamedTuple):
    """A part of the roots of an audit, from `keys` or from a list that exists already.

    >>> import sectile
    >>> key = sectile.Key("object", "s3://bucket", "app/a.wasm", size=324, etag='"5d1f"')
    """

    kind: str
    """`object`, `file` for an entry of a directory, `image` for images of a registry that share layers, or `root` for a
    path or a URL with everything below it."""
    root: str | bytes
    """URL of the store of an object; the given root otherwise."""
    name: str | bytes = b""
    """Key of an object, path, or URL of an image; empty if the part is the root itself."""
    others: Sequence[str | bytes] = ()
    """Further paths of a file with several hard links, or URLs of further images."""
    size: int | None = None
    """Length in bytes; required for an object, unless its key cannot be requested."""
    etag: str | None = None
    """Entity tag of an object. If the object has another one when it is read, its row has a finding."""
    modified: int | None = None
    """Time of the last change, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class SectionSizes:
    """The sections of one name in an item."""

    sections: int
    """Number of sections."""
    bytes: int
    """Total length, headers included."""
    digest: str | None
    """SHA-256 of their data, if all of the source was read."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that only one of two sources has, or that has another value in each."""

    path: str
    """Path of the item."""
    aspect: str
    """Kind of the fact, such as `field`, `package`, `section` or `import`."""
    group: str | None
    """Group of the name, by aspect: the module of an import, for example."""
    name: str
    """Name of the fact; empty if an item has only one of its aspect."""
    old: str | bytes | SectionSizes | None
    """Value in the old source; `None` if it lacks the fact."""
    new: str | bytes | SectionSizes | None
    """Value in the new source; `None` if it lacks the fact."""
    text: str
    """The difference on one line, escaped for a terminal."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between two sources.

    >>> import sectile
    >>> old = b"\\0asm\\1\\0\\0\\0" + b"\\0\\x0c\\x08licensesMIT"
    >>> new, _ = sectile.edit(old, set={"licenses": "0BSD"})
    >>> [str(difference) for difference in sectile.diff(old, new).differences if difference.aspect == "field"]
    ['licenses: MIT → 0BSD']
    """

    equal: bool
    """Whether no compared fact differs."""
    content_equal: bool | None
    """Whether everything but custom sections is the same; `None` if it was not compared."""
    complete: bool
    """Whether both sources were read to their end."""
    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...]
    """Aspects that were not compared, because one of the sources does not tell them."""
    json: str

    def to_json(self) -> str:
        """Returns the document of `sectile diff --json`."""
        return self.json


@dataclass(frozen=True, slots=True)
class RowChange:
    """A binary that only one of two sets has, or that differs."""

    state: str
    """`new`, `gone` or `changed`."""
    old: str | None
    """Name in the old set; `None` if the binary is new."""
    new: str | None
    """Name in the new set; `None` if the binary is gone."""
    content_equal: bool | None
    """Whether everything but custom sections is the same; `None` if it was not compared."""
    differences: tuple[Difference, ...]
    """The differences, if both sets have the binary."""


@dataclass(frozen=True, slots=True)
class ReportComparison:
    """The differences between two sets of binaries."""

    equal: bool
    """Whether both sets have the same binaries, without differences."""
    complete: bool
    """Whether both reports are complete, and every binary was read to its end."""
    counts: dict[str, int]
    """Number of rows that are `new`, `gone`, `changed` and `unchanged`; of `new_findings` and `gone_findings`."""
    changes: tuple[RowChange, ...]
    """Rows that are not unchanged: those of the new set in their order, then those that are gone."""
    json: str

    def to_json(self) -> str:
        """Returns the lines of `sectile diff --json`."""
        return self.json


@dataclass(frozen=True, slots=True)
class Change:
    """A section that an edit adds, removes or replaces."""

    path: str
    section: str
    kind: str
    """`added`, `removed` or `replaced`."""
    range: Range
    """Range of the old section; empty if the section is added."""
    before: int
    """Length of the old section in bytes."""
    after: int
    """Length of the new section in bytes."""


@final
class Changes(tuple[Change, ...]):
    """The changes of an edit. The sequence is empty if the source already had the wanted metadata."""

    findings: tuple[Finding, ...]
    """Warnings about the edit, such as a signature that becomes invalid."""
    json: str

    def __new__(cls, changes: Iterable[Change], findings: Iterable[Finding] = (), json: str = "") -> Changes:
        new = super().__new__(cls, changes)
        new.findings = tuple(findings)
        new.json = json
        return new

    def __reduce__(self) -> tuple[type[Changes], tuple[object, ...]]:
        return type(self), (tuple(self), self.findings, self.json)

    def to_json(self) -> str:
        """Returns the document of the editing commands with `--json`."""
        return self.json


@dataclass(frozen=True, slots=True)
class Dependency:
    """A crate in the list that cargo-auditable wrote into an item."""

    name: str
    version: str
    source: str
    """Source of the crate, such as `crates.io` or `local`."""
    kind: str
    """`runtime` or `build`."""
    root: bool
    """Whether it is the crate that was built."""
    dependencies: tuple[int, ...]
    """Indexes, in the same list, of the crates that it depends on."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that an item contains."""

    name: str
    version: str
    ecosystem: str
    """`cargo`, `golang`, `npm` or `generic`."""
    source: str
    """Source of the package, such as `crates.io`; empty if it is unknown."""
    list: str
    """`declared`, `embedded` or `recovered`. A list of recovered packages may lack some."""
    evidence: str
    """How the package was found. The project's `docs/inventory.md` describes each kind."""
    confidence: str
    """`high` or `medium`."""
    path: str
    """Path of the item that contains it."""
    offset: int
    count: int
    """Number of places in the item that name the package."""
    checksum: str | None
    """The checksum that Go records."""
    replaces: str | None
    """Name and version of the package that it replaces, if Go records a replacement."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a module or component."""

    path: str
    """Path of the item that contains it."""
    id: int
    kind: str
    """Kind of the section, such as `code` or `custom`."""
    name: str | None
    """Name of a custom section, with replacements for bytes that are not UTF-8."""
    range: Range
    """Range of the section with its header."""
    payload: Range
    """Range after the header."""
    data: Range
    """Range after a custom section's name; of any other section, the payload."""


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256 digests, such as `sha256:e3b0…`."""

    file: str
    """Digest of all bytes."""
    content: str | None
    """Digest of the content without custom sections: it stays the same when metadata changes."""
