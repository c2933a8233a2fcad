"""Holds a SARIF log against the official schema."""

import json
import sys

import jsonschema

log_path, schema_path = sys.argv[1:]
with open(schema_path, encoding="utf-8") as file:
    schema = json.load(file)
with open(log_path, encoding="utf-8") as file:
    log = json.load(file)
validator = jsonschema.validators.validator_for(schema)(schema)
errors = sorted(validator.iter_errors(log), key=lambda error: list(error.path))
for error in errors[:10]:
    print(list(error.path), error.message[:300])
assert not errors, f"{len(errors)} errors"
# The schema must reject an invalid document.
assert not validator.is_valid({"version": "2.1.0"})

run = log["runs"][0]
rules = run["tool"]["driver"]["rules"]
prints = [json.dumps(result["partialFingerprints"], sort_keys=True) for result in run["results"]]
for result in run["results"]:
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].isascii()
print(f"valid: {len(rules)} rules, {len(run['results'])} results, {len(set(prints))} fingerprints")
