from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask_babel import Babel

from web import display

AT = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)


def test_times_are_shown_on_vietnams_clock() -> None:
    assert display.local_time(AT) == "8:00"
    assert display.local_date(AT) == "10/12/2026"
    assert display.local_datetime(AT) == "8:00 10/12/2026"
    assert display.local_date(datetime(2026, 12, 9, 17, 30, tzinfo=UTC)) == "10/12/2026"
    assert display.local_date(date(2026, 3, 2)) == "02/03/2026"
    assert display.machine_time(AT) == "2026-12-10T01:00:00Z"


def test_missing_is_a_dash_not_a_zero() -> None:
    for show in (
        display.local_time,
        display.local_date,
        display.local_datetime,
        display.number,
        display.percent,
        display.duration,
        display.file_size,
        display.weekday,
    ):
        assert show(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (42, "0:42"), (599.6, "10:00"), (9667, "2:41:07")]
)
def test_durations(seconds: float, text: str) -> None:
    assert display.duration(seconds) == text


def test_numbers_have_vietnamese_separators() -> None:
    assert display.number(5672) == "5.672"
    assert display.number(1234.56, 1) == "1.234,6"
    assert display.percent(0.995, 1) == "99,5 %"
    assert display.file_size(512) == "512 byte"
    assert display.file_size(1_468_006) == "1,4 MB"
    assert display.file_size(3 * 1024**3) == "3,0 GB"
    assert display.file_size(5_000 * 1024**3) == "5.000 GB"


def test_the_day_has_its_name() -> None:
    app = Flask(__name__)
    Babel(app, default_locale="vi")
    with app.test_request_context():
        assert display.weekday(AT) == "thứ Năm"
        assert display.weekday(date(2026, 12, 13)) == "Chủ nhật"
