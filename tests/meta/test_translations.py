"""Every text of the pages has its English."""

import ast
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from conference.scheduling.advice import PROHIBITED
from conference.scheduling.lifecycle import STATUS_WORDS
from conference.scheduling.thresholds import KIND_WORDS
from conference.scheduling.working_days import statutory
from web.http.meetings_rules import GROUPS, LABELS
from web.meeting_page import GROUND_WORDS

WEB = Path(__file__).parents[2] / "web"
METHODS = [("http/**.py", "python"), ("**.py", "python"), ("templates/**.html", "jinja2")]
FIELDS = (
    "StringField", "PasswordField", "TextAreaField", "SelectField", "RadioField", "BooleanField",
    "IntegerField", "FileField", "DateField", "MultipleFileField", "InputRequired", "DataRequired",
)  # fmt: skip


def test_every_text_has_its_english() -> None:
    with (WEB / "translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file)
    known = {message.id: message.string for message in catalogue if message.id}
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), **dict.fromkeys(FIELDS)}
    missing = {
        text
        for _, _, text, *_ in extract_from_dir(WEB, METHODS, keywords=keywords)
        if text and (text not in known or not known[text])
    }
    assert missing == set()


def test_placeholders_are_the_same() -> None:
    with (WEB / "translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        for message in read_po(file):
            if message.id:
                assert not list(message.check()), message.id


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_every_sentence_of_the_domain_has_its_english() -> None:
    """What is said with `conference.sentences.say` is a pattern that pages look up."""
    with (WEB / "translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        known = {message.id for message in read_po(file) if message.id and message.string}
    missing = {
        f"{path.name}: {pattern}"
        for path in [*(WEB.parent / "conference").rglob("*.py"), *WEB.glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say" and node.args
        if (pattern := _constant(node.args[0])) is not None and pattern not in known
    }
    assert missing == set()
    words = {*STATUS_WORDS.values(), *KIND_WORDS.values(), *PROHIBITED, *GROUND_WORDS.values()}
    words |= {label for label, _ in LABELS.values()} | {title for title, _ in GROUPS}
    words |= {one.name for year in range(2024, 2034) for one in statutory(year)}
    assert words - known == set()
