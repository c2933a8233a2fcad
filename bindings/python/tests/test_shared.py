"""The cases that every binding runs: tests/shared."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from datetime import date, datetime, timezone
from typing import Any

import pytest

import sectile
from conftest import PROJECT

SUITE = json.loads((PROJECT / "tests/shared/cases.json").read_text(encoding="utf-8"))
# The package has no pushed input and no gate, and bytes have no location.
CASES = [
    case
    for case in SUITE["cases"]
    if case["request"]["operation"] not in {"push", "gate"} and "locations" not in case["request"]
]


def content(name: str) -> bytes:
    """The bytes of an input."""
    entry = SUITE["inputs"][name]
    return (PROJECT / entry["file"]).read_bytes() if "file" in entry else base64.b64decode(entry["base64"])


@functools.cache
def policy(path: str) -> sectile.Policy:
    """A policy, named by its path in the project."""
    return sectile.Policy.parse((PROJECT / path).read_text(encoding="utf-8"), path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['request']['operation']}-{case['input']}")
def test_shared_case(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    data, request, answer = content(case["input"]), case["request"], case["answer"]
    match request["operation"]:
        case "read":
            check_read(data, answer["document"])
        case "inventory":
            check_inventory(data, json.loads(answer["document"]))
        case "sections":
            check_sections(data, json.loads(answer["document"]))
        case "check":
            if "day" in request:
                day = datetime.combine(date.fromisoformat(request["day"]), datetime.min.time(), timezone.utc)
                monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(day.timestamp())))
            given = policy(request["policy"]) if "policy" in request else None
            # The keyword replaces the key `packages` of the policy.
            recovered = "policy" in request and 'packages = "all"' in (PROJECT / request["policy"]).read_text(encoding="utf-8")
            assert sectile.check(data, given, recovered=recovered).to_json() == answer["document"]
        case "edit":
            check_edit(answer, lambda: sectile.edit(data, **arguments(request["edit"])))
        case "strip":
            check_edit(answer, lambda: sectile.strip(data, **request["strip"]))
        case operation:
            pytest.fail(f"unknown operation {operation}")


def check_read(data: bytes, document: str) -> None:
    try:
        metadata = sectile.read(data)
    except sectile.SectileError as error:
        assert json.loads(document)["outcome"] == "partial"
        if error.partial is None:
            assert json.loads(document)["item"] is None
            return
        metadata = error.partial
    assert metadata.to_json() == document


def check_inventory(data: bytes, document: dict[str, Any]) -> None:
    if document["outcome"] != "complete":
        with pytest.raises(sectile.SectileError):
            sectile.packages(data, recovered=True)
        return
    for package, expected in zip(sectile.packages(data, recovered=True), document["packages"], strict=True):
        assert {key: getattr(package, key) for key in expected} == expected


def check_sections(data: bytes, document: dict[str, Any]) -> None:
    if document["outcome"] != "complete":
        with pytest.raises(sectile.SectileError):
            sectile.sections(data)
        return
    for section, expected in zip(sectile.sections(data), document["sections"], strict=True):
        assert list(section.range) == expected["range"]
        assert (section.path, section.id, section.kind) == (expected["path"], expected["id"], expected["kind"])


def check_edit(answer: dict[str, Any], edit: Any) -> None:
    if "error" in answer:
        with pytest.raises(sectile.SectileError) as raised:
            edit()
        assert str(raised.value) == answer["error"]["message"]
        return
    new, changes = edit()
    assert changes.to_json() == answer["document"]
    assert "sha256:" + hashlib.sha256(new).hexdigest() == answer["sha256"]


def arguments(edit: dict[str, Any]) -> dict[str, Any]:
    """The keywords of `edit`, which takes mappings."""
    keywords = dict(edit)
    for key in ("producers", "drop_producers"):
        if key in edit:
            keywords[key] = [tuple(producer) for producer in edit[key]]
    if "set" in edit:
        keywords["set"] = dict(edit["set"])
    if "put" in edit:
        keywords["put"] = {name: base64.b64decode(data) for name, data in edit["put"]}
    return keywords
