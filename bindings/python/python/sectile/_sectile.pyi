from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import Any, Final, Protocol, TypeAlias, final, overload

from ._records import Changes, Comparison, Dependency, Digests, Finding, Key, Package, Range, ReportComparison, Section, Verdict

class _SeekableFile(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, whence: int, /) -> int: ...
    def tell(self) -> int: ...

_Path: TypeAlias = str | PathLike[str] | PathLike[bytes]
_Bytes: TypeAlias = bytes | bytearray | memoryview
_Source: TypeAlias = _Path | _Bytes | _SeekableFile
_Paths: TypeAlias = _Path | Iterable[_Path]
_Root: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes] | Key
_Roots: TypeAlias = _Root | Iterable[_Root]

__all__ = [
    "FIELDS",
    "FINDING_CODES",
    "SBOM_FORMATS",
    "Item",
    "Metadata",
    "Policy",
    "Summary",
    "Table",
    "__version__",
    "audit",
    "check",
    "diff",
    "diff_reports",
    "digest",
    "edit",
    "keys",
    "packages",
    "read",
    "run",
    "sbom",
    "sections",
    "strip",
]

__version__: Final[str]
FIELDS: Final[tuple[str, ...]]
FINDING_CODES: Final[Mapping[str, str]]
SBOM_FORMATS: Final[tuple[str, ...]]

@final
class Metadata:
    @property
    def root(self) -> Item: ...
    @property
    def items(self) -> list[Item]: ...
    def item(self, path: str) -> Item | None: ...
    @property
    def findings(self) -> list[Finding]: ...
    @property
    def size(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def is_complete(self) -> bool: ...
    def to_json(self) -> str: ...

@final
class Item:
    @property
    def kind(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def range(self) -> Range: ...
    @property
    def name(self) -> str | None: ...
    @property
    def annotations(self) -> dict[str, str | bytes]: ...
    @property
    def producers(self) -> dict[str, list[tuple[str, str]]]: ...
    @property
    def dependencies(self) -> list[Dependency] | None: ...
    @property
    def registry_metadata(self) -> str | bytes | None: ...
    @property
    def debug_links(self) -> list[tuple[str, str | bytes]]: ...
    @property
    def parent(self) -> Item | None: ...
    @property
    def children(self) -> list[Item]: ...
    @property
    def is_complete(self) -> bool: ...
    @property
    def authors(self) -> str | None: ...
    @property
    def created(self) -> str | None: ...
    @property
    def description(self) -> str | None: ...
    @property
    def documentation(self) -> str | None: ...
    @property
    def homepage(self) -> str | None: ...
    @property
    def licenses(self) -> str | None: ...
    @property
    def revision(self) -> str | None: ...
    @property
    def source(self) -> str | None: ...
    @property
    def vendor(self) -> str | None: ...
    @property
    def version(self) -> str | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Policy:
    def __new__(cls, path: _Path | Policy | None = None, *, advisories: _Paths = (), vex: _Paths = ()) -> Policy: ...
    @staticmethod
    def parse(text: str, name: str = "policy.toml", *, advisories: _Paths = (), vex: _Paths = ()) -> Policy: ...
    @property
    def fingerprint(self) -> str: ...

@final
class Summary:
    def __new__(cls, json: str) -> Summary: ...
    @staticmethod
    def merge(summaries: Iterable[Summary]) -> Summary: ...
    @property
    def rows(self) -> int: ...
    @property
    def binaries(self) -> int: ...
    @property
    def accepted(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def unread(self) -> int: ...
    @property
    def excepted(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    def to_json(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Table:
    @property
    def summary(self) -> Summary | None: ...
    @property
    def columns(self) -> list[str]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> dict[str, Any]: ...
    def __iter__(self) -> Iterator[dict[str, Any]]: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

def audit(
    roots: _Roots,
    policy: _Path | Policy | None = None,
    *,
    recovered: bool = False,
    advisories: _Paths = (),
    vex: _Paths = (),
    day: str | None = None,
    hash: bool = False,
    threads: int | None = None,
    in_flight: int | None = None,
    request_cost: int | None = None,
    inside: str = "local",
    nested: int = 4,
    ignore_rules: bool = False,
    since: _Path | None = None,
    trust_report: bool = False,
    parquet: _Path | None = None,
    progress: Callable[[int, int, int], object] | None = None,
) -> Table: ...
def keys(roots: _Roots, *, ignore_rules: bool = False) -> Table: ...
def read(source: _Source) -> Metadata: ...
def packages(source: _Source, *, recovered: bool = False) -> list[Package]: ...
def sections(source: _Source) -> list[Section]: ...
def digest(source: _Source) -> Digests: ...
def sbom(
    source: _Source,
    format: str = "cyclonedx",
    *,
    recovered: bool = False,
    name: str | None = None,
    created: str | None = None,
    advisories: _Paths = (),
    vex: _Paths = (),
) -> str: ...
def check(
    source: _Source,
    policy: _Path | Policy | None = None,
    *,
    recovered: bool = False,
    advisories: _Paths = (),
    vex: _Paths = (),
) -> Verdict: ...
def diff(
    old: _Source,
    new: _Source,
    policy: _Path | Policy | None = None,
    *,
    content: bool = False,
    recovered: bool = False,
    advisories: _Paths = (),
    vex: _Paths = (),
) -> Comparison: ...
def diff_reports(
    old: _Path,
    new: _Path,
    policy: _Path | Policy | None = None,
    *,
    recovered: bool = False,
    advisories: _Paths = (),
    vex: _Paths = (),
) -> ReportComparison: ...
def run(arguments: list[str]) -> int: ...
@overload
def edit(
    source: _Bytes,
    *,
    set: Mapping[str, str] | None = None,
    unset: Iterable[str] = (),
    name: str | None = None,
    producers: Iterable[tuple[str, str, str]] = (),
    drop_producers: Iterable[tuple[str, str]] = (),
    put: Mapping[str, bytes] | None = None,
    remove: Iterable[str] = (),
    item: str = "",
    allow_invalid: bool = False,
    force: bool = False,
) -> tuple[bytes, Changes]: ...
@overload
def edit(
    source: _Path,
    *,
    set: Mapping[str, str] | None = None,
    unset: Iterable[str] = (),
    name: str | None = None,
    producers: Iterable[tuple[str, str, str]] = (),
    drop_producers: Iterable[tuple[str, str]] = (),
    put: Mapping[str, bytes] | None = None,
    remove: Iterable[str] = (),
    item: str = "",
    allow_invalid: bool = False,
    force: bool = False,
) -> Changes: ...
@overload
def strip(
    source: _Bytes,
    *,
    keep: Iterable[str] = (),
    names: bool = False,
    all: bool = False,
    item: str | None = None,
    force: bool = False,
) -> tuple[bytes, Changes]: ...
@overload
def strip(
    source: _Path,
    *,
    keep: Iterable[str] = (),
    names: bool = False,
    all: bool = False,
    item: str | None = None,
    force: bool = False,
) -> Changes: ...
