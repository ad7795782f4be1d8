"""The audit log speaks of everything that is written into it."""

import ast
import re
from pathlib import Path

from conference.scheduling.journal import Kind
from web.audit_words import ACTION_WORDS, OBJECT_WORDS

ROOT = Path(__file__).parents[3]
_ACTION = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
_WRITERS = {"record", "_record", "_note", "_audit", "_log", "_tell"}


def _said(name: str) -> set[tuple[str, str]]:
    """``(file, literal)`` of what is given as ``name`` or, for actions, to a writing function."""
    found = set()
    for folder in ("conference", "web", "recordings"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                given = [one.value for one in node.keywords if one.arg == name]
                if name == "action" and called in _WRITERS:
                    given += node.args
                found |= {
                    (path.name, one.value)
                    for value in given
                    for one in ast.walk(value)
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return found


def test_every_action_of_the_code_has_a_word() -> None:
    written = {pair for pair in _said("action") if _ACTION.fullmatch(pair[1])}
    assert len(written) > 40
    unspoken = {f"{file}: {action}" for file, action in written if action not in ACTION_WORDS}
    steps = {kind.value.replace("_", ".", 1) for kind in Kind}
    assert unspoken | (steps - set(ACTION_WORDS)) == set()


def test_every_kind_of_object_has_a_word() -> None:
    kinds = {pair for pair in _said("object_type") if re.fullmatch("[a-z_]+", pair[1])}
    assert len(kinds) > 8
    assert {f"{file}: {kind}" for file, kind in kinds if kind not in OBJECT_WORDS} == set()
