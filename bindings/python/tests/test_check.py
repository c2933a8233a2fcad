"""Policies and verdicts."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import sectile
from conftest import ADVISORIES, PREAMBLE, crates, module, recovered

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


def vex(package: str) -> str:
    """A statement that a package is not affected."""
    statement = {
        "vulnerability": {"name": "RUSTSEC-2021-0003"},
        "products": [{"@id": package}],
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
    }
    document = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "1", "author": "me", "version": 1}
    return json.dumps({**document, "timestamp": "2026-01-01T00:00:00Z", "statements": [statement]})


def test_advisories_refuse_and_a_vex_document_excuses(tmp_path: Path) -> None:
    data = crates(smallvec="1.6.0")
    assert sectile.check(data).accepted
    rules = '[[advisories]]\nat-least = "critical"\n'
    policy = sectile.Policy.parse(rules, advisories=ADVISORIES)
    verdict = sectile.check(data, policy)
    (refused,) = [finding for finding in verdict.findings if finding.refused]
    assert not verdict.accepted and refused.code == "refused-advisory" and "RUSTSEC-2021-0003" in refused.message
    statement = tmp_path / "vex.json"
    statement.write_text(vex("pkg:cargo/smallvec@1.6.0"))
    assert sectile.check(data, policy, vex=statement).accepted
    assert sectile.check(data, sectile.Policy(policy, vex=[statement])).accepted
    assert not sectile.check(data, sectile.Policy.parse(rules, vex=statement), advisories=[ADVISORIES]).findings[0].refused
    vulnerabilities = json.loads(sectile.sbom(data, advisories=ADVISORIES, vex=statement))["vulnerabilities"]
    assert "RUSTSEC-2021-0003" in [one["id"] for one in vulnerabilities]


def test_a_database_or_a_vex_document_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    for keyword in ("advisories", "vex"):
        with pytest.raises(FileNotFoundError) as raised:
            sectile.Policy(**{keyword: tmp_path / "missing"})
        assert raised.value.filename == str(tmp_path / "missing")
    with pytest.raises(sectile.SectileError, match="has no advisories"):
        sectile.Policy(advisories=tmp_path)
    statement = tmp_path / "vex.json"
    statement.write_text('{"@context": "https://openvex.dev/ns/v0.2.0",\n "statements": [{}]}')
    with pytest.raises(sectile.SectileError) as invalid:
        sectile.Policy(vex=statement)
    assert invalid.value.line == 2
    osv = tmp_path / "osv"
    osv.mkdir()
    good = {"id": "GO-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]}
    (osv / "good.json").write_text(json.dumps(good))
    (osv / "bad.json").write_text("{")
    with pytest.warns(UserWarning, match="advisory not used: bad.json"):
        sectile.Policy(advisories=osv)


def test_an_unread_source_is_never_accepted() -> None:
    for data in (b"", b"\x7fELF....", PREAMBLE + b"\x0a\x7f"):
        verdict = sectile.check(data)
        assert not verdict.accepted and not verdict.complete and verdict.error


def test_a_verdict_can_be_sent_to_another_process() -> None:
    verdict = sectile.check(PREAMBLE, sectile.Policy.parse(STRICT))
    assert pickle.loads(pickle.dumps(verdict)) == verdict


def test_a_policy_says_which_packages_its_rules_see() -> None:
    source = recovered("openssl", "0.10.1")
    rule = '[[dependencies]]\nitems = "all"\nnames = ["openssl*"]\nseverity = "error"\n'
    everything, declared = (sectile.Policy.parse(text + rule) for text in ('packages = "all"\n', ""))
    assert not sectile.check(source, everything).accepted
    assert sectile.check(source, declared).accepted
    assert not sectile.check(source, declared, recovered=True).accepted


@pytest.mark.parametrize("packages", ["declared", "all"])
def test_an_sbom_has_the_advisories_of_its_packages(packages: str, tmp_path: Path, command: Callable[..., bytes]) -> None:
    file = tmp_path / "app.wasm"
    file.write_bytes(recovered("smallvec", "1.6.0"))
    expected = command("sbom", file, "--packages", packages, "--advisories", ADVISORIES).decode()
    document = sectile.sbom(file, recovered=packages == "all", advisories=ADVISORIES)
    assert document + "\n" == expected
    assert ("RUSTSEC-2021-0003" in document) == (packages == "all")
