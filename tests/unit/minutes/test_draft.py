"""The first text of the minutes."""

from datetime import UTC, datetime, timedelta

import pytest

from conference.documents.paper import clock, day
from conference.minutes.draft import Course, Point, Speech, draft

T0 = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)


def course(**changes: object) -> Course:
    values: dict[str, object] = {
        "chair": "đồng chí Nguyễn Văn Ước", "opened_at": T0, "points": (), "speeches": (),
        "invited": 118, "came": 109, "delegates": 0,
    }  # fmt: skip
    return Course(**{**values, **changes})  # type: ignore[arg-type]


def at(minutes: int) -> datetime:
    return T0 + timedelta(minutes=minutes)


def test_speeches_stand_under_the_agenda_item_they_belong_to() -> None:
    text = draft(
        course(
            points=(
                Point("Thảo luận", "", at(30)), Point("Báo cáo", "Sở Tài chính", at(10)),
                Point("Kết luận", "", None),
            ),
            speeches=(
                Speech("Xã B", at(40), 200), Speech("Xã A", at(12), 30), Speech("Xã C", at(5), 61),
            ),
        )
    )  # fmt: skip
    paragraphs = text.split("\n\n")
    assert paragraphs[2:] == [
        "- Xã C phát biểu lúc 8 giờ 05 phút (1 phút): …",
        "1. Báo cáo (8 giờ 10 phút). Sở Tài chính trình bày. …",
        "- Xã A phát biểu lúc 8 giờ 12 phút (1 phút): …",
        "2. Thảo luận (8 giờ 30 phút). …",
        "- Xã B phát biểu lúc 8 giờ 40 phút (3 phút): …",
    ]


def test_an_agenda_nobody_called_is_listed_as_planned() -> None:
    text = draft(course(points=(Point("Khai mạc", "", None), Point("Báo cáo", "", None))))
    assert text.endswith("1. Khai mạc. …\n\n2. Báo cáo. …")


def test_sites_and_delegates_are_counted_apart() -> None:
    assert "109/118 điểm cầu tham dự." in draft(course())
    assert "109/118 điểm cầu tham dự, 1204 đại biểu" in draft(course(delegates=1204))


def test_the_decision_to_record_is_named() -> None:
    assert "quyết định của Nguyễn Văn Ước" in draft(course(recorded_by="Nguyễn Văn Ước"))
    assert "ghi hình" not in draft(course())


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2021, 1, 2, 0, 0, tzinfo=UTC), "ngày 02 tháng 01 năm 2021"),
        (datetime(2026, 12, 10, 1, 0, tzinfo=UTC), "ngày 10 tháng 12 năm 2026"),
        (datetime(2026, 3, 31, 18, 0, tzinfo=UTC), "ngày 01 tháng 4 năm 2026"),
    ],
)
def test_days_are_written_as_the_decree_asks(moment: datetime, words: str) -> None:
    assert day(moment) == words


def test_hours_are_written_as_documents_do() -> None:
    assert clock(datetime(2026, 12, 10, 6, 5, tzinfo=UTC)) == "13 giờ 05 phút"
