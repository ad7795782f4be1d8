"""docs/scheduling.md names for each of the thirteen rules where it is watched and by which test."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (R\d+) \|.*\| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)


def test_every_rule_has_code_and_a_test_that_exist() -> None:
    rows = ROW.findall((ROOT / "docs/scheduling.md").read_text(encoding="utf-8"))
    assert [rule for rule, _code, _test in rows] == [f"R{n}" for n in range(1, 14)]
    for rule, code, test in rows:
        path, _, name = code.partition(":")
        assert name in (ROOT / path).read_text(encoding="utf-8"), rule
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), rule
