"""Every text of the pages has its English."""

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

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
