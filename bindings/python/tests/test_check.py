"""Policies and verdicts."""

import pickle
from pathlib import Path

import pytest

import sectile
from conftest import PREAMBLE, module

STRICT = '[[required]]\nitems = "root"\nfields = ["licenses"]\n'


def test_a_policy_is_read_once_and_judges_many() -> None:
    policy = sectile.Policy.parse(STRICT, "strict.toml")
    refused, accepted = sectile.check(PREAMBLE, policy), sectile.check(module(licenses="MIT"), policy)
    assert accepted.accepted and accepted.complete and not accepted.findings
    (finding,) = refused.findings
    assert not refused.accepted and refused.complete
    assert finding.refused and finding.rule == "strict.toml:1" and finding.excepted is None
    assert policy.fingerprint == sectile.Policy.parse(STRICT, "strict.toml").fingerprint
    assert policy.fingerprint != sectile.Policy.parse("").fingerprint


def test_an_exception_is_valid_until_it_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "old.wasm"
    file.write_bytes(PREAMBLE)
    exception = '[[exceptions]]\npaths = ["**/old.wasm"]\nreason = "legacy"\nexpires = "2026-06-30"\n'
    policy = sectile.Policy.parse(STRICT + exception)
    for second, accepted in ((1_767_225_600, True), (1_798_761_600, False)):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(second))
        verdict = sectile.check(file, policy)
        assert verdict.accepted == accepted
        assert verdict.findings[0].excepted == ("legacy" if accepted else None)
    assert not sectile.check(PREAMBLE, policy).accepted  # bytes have no path
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "tomorrow")
    with pytest.raises(sectile.SectileError, match="SOURCE_DATE_EPOCH"):
        sectile.check(file, policy)


def test_an_unread_source_is_never_accepted() -> None:
    for data in (b"", b"\x7fELF....", PREAMBLE + b"\x0a\x7f"):
        verdict = sectile.check(data)
        assert not verdict.accepted and not verdict.complete and verdict.error


def test_a_verdict_can_be_sent_to_another_process() -> None:
    verdict = sectile.check(PREAMBLE, sectile.Policy.parse(STRICT))
    assert pickle.loads(pickle.dumps(verdict)) == verdict
