"""Reads workflow commands as the runner of GitHub Actions does."""

import re
import sys

path, number = sys.argv[1:]
lines = open(path, encoding="utf-8", newline="").read().split("\n")
assert lines[0] == "::group::sectile audit" and lines[-3] == "::endgroup::" and lines[-1] == "", lines[-3:]
assert lines[-2].startswith("sectile: "), lines[-2]
commands = lines[1:-3]
assert len(commands) >= int(number), len(commands)
for command in commands:
    match = re.fullmatch(r"::(error|warning|notice) (.*?)::(.*)", command)
    assert match, command
    properties = dict(pair.split("=", 1) for pair in match[2].split(","))
    assert set(properties) == {"file", "title"}, properties
    assert re.fullmatch(r"[a-z0-9-]+", properties["title"]), properties
    for value in [*properties.values(), match[3]]:
        assert value.isprintable() or "\u200d" in value, value
print(f"read: {len(commands)} commands")
