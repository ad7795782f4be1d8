"""What forms say by themselves is in the language of the page."""

import re
from pathlib import Path

import pytest
import wtforms
from flask import Flask
from flask_babel import Babel, force_locale
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length

from web.forms import VIETNAMESE, PageForm

TEMPLATE = Path(wtforms.__file__).parent / "locale" / "wtforms.pot"
_PLACES = re.compile(r"%\(\w+\)\w")


class _Asked(PageForm):
    name = StringField(validators=[InputRequired(), Length(max=3)])
    count = IntegerField()


@pytest.fixture
def app() -> Flask:
    app = Flask("asked")
    app.config.update(SECRET_KEY="a", WTF_CSRF_ENABLED=False)
    Babel(app, default_locale="vi")
    return app


def _errors(app: Flask, language: str, name: str, count: str) -> dict[str, list[str]]:
    data = {"name": name, "count": count}
    with app.test_request_context("/", method="POST", data=data), force_locale(language):
        form = _Asked()
        assert not form.validate()
        return dict(form.errors)


def test_a_vietnamese_page_says_what_is_wrong_in_vietnamese(app: Flask) -> None:
    assert _errors(app, "vi", "dài quá", "mười") == {
        "name": ["Dài quá 3 ký tự."],
        "count": ["Cần nhập số nguyên."],
    }
    assert _errors(app, "vi", "", "1") == {"name": ["Cần nhập mục này."]}


def test_an_english_page_says_it_in_english(app: Flask) -> None:
    assert _errors(app, "en", "too long", "ten") == {
        "name": ["Field cannot be longer than 3 characters."],
        "count": ["Not a valid integer value."],
    }


def test_every_translated_message_is_one_of_the_librarys_with_the_same_places() -> None:
    known = TEMPLATE.read_text(encoding="utf-8").replace('"\n"', "")
    for english, vietnamese in VIETNAMESE.items():
        assert f'"{english}"' in known
        assert _PLACES.findall(vietnamese) == _PLACES.findall(english)
