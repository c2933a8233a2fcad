"""Reads JUnit XML as any XML parser does: a suite with one case for each row, whose counts are right."""

import sys
import xml.etree.ElementTree as ElementTree

path, number = sys.argv[1:]
suites = ElementTree.parse(path).getroot()
assert suites.tag == "testsuites", suites.tag
assert len(suites) == int(number), len(suites)
failed = 0
for suite in suites:
    (case,) = suite
    assert suite.get("tests") == "1" and suite.get("name") == case.get("name")
    for tag, count in [("failure", "failures"), ("error", "errors"), ("skipped", "skipped")]:
        assert len(case.findall(tag)) == int(suite.get(count)), (tag, suite.attrib)
    assert case.get("classname") in ("binary", "archive", "file")
    assert {child.tag for child in case} <= {"failure", "error", "skipped", "system-out"}
    failed += suite.get("failures") == "1"
    values = [case.get("name")] + [value for child in case for value in (child.text, child.get("message")) if value]
    for value in values:
        assert all(part.isprintable() or "\u200d" in part for part in value.split("\n")), repr(value)
assert int(number) == 0 or failed > 0
print(f"read: {len(suites)} suites, {failed} of them failed")
