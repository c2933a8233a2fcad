"""Reads, edits and judges the metadata of WebAssembly modules and components without parsing their code.

>>> import sectile
>>> module = b"\\0asm\\1\\0\\0\\0" + b"\\0\\x0c\\x08licensesMIT"
>>> sectile.read(module).root.licenses
'MIT'
>>> new, changes = sectile.edit(module, set={"licenses": "Apache-2.0"})
>>> [(change.kind, change.section) for change in changes]
[('replaced', 'licenses')]
>>> sectile.read(new).root.licenses
'Apache-2.0'

A *source* is the path of a file, an object with the bytes of a binary, or a binary file that is open for reading and
can seek. Only the requested parts of a file are read, without the interpreter lock. A path is always a local file.

Every function raises a subclass of `OSError` if the system fails, such as `FileNotFoundError`, and `SectileError`, a
`ValueError`, if the input or an argument is not valid. No input causes a crash, a hang or unbounded memory:
`docs/guarantees.md` of the project lists the guarantees and their tests.
"""

from ._records import (
    Change,
    Changes,
    Comparison,
    Dependency,
    Difference,
    Digests,
    Finding,
    JudgedFinding,
    Key,
    Package,
    ReportComparison,
    RowChange,
    SectileError,
    Section,
    SectionSizes,
    Verdict,
)
from ._sectile import (
    FIELDS,
    FINDING_CODES,
    SBOM_FORMATS,
    Item,
    Metadata,
    Policy,
    Summary,
    Table,
    __version__,
    audit,
    check,
    diff,
    diff_reports,
    digest,
    edit,
    keys,
    packages,
    read,
    sbom,
    sections,
    strip,
)

__all__ = [
    "FIELDS",
    "FINDING_CODES",
    "SBOM_FORMATS",
    "Change",
    "Changes",
    "Comparison",
    "Dependency",
    "Difference",
    "Digests",
    "Finding",
    "Item",
    "JudgedFinding",
    "Key",
    "Metadata",
    "Package",
    "Policy",
    "ReportComparison",
    "RowChange",
    "SectileError",
    "Section",
    "SectionSizes",
    "Summary",
    "Table",
    "Verdict",
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
    "sbom",
    "sections",
    "strip",
]
