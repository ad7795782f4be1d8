"""What a leader reads."""

from collections import Counter
from datetime import date

import pytest

from conference.directory.models import UnitLevel
from conference.scheduling.models import Scope
from conference.statistics import periods, savings, wording
from conference.statistics.figures import Figures, HeldMeeting, InTime, SitesOfLevel, summarise
from conference.statistics.periods import Period
from conference.statistics.savings import Rates


def held(number: int, scope: Scope, day: date, **more: object) -> HeldMeeting:
    values: dict[str, object] = {
        "id": number, "title": f"Họp {number}", "scope": scope, "kind": "", "day": day,
        "length_minutes": 90, "chair": "A", "host": "Văn phòng",
    }  # fmt: skip
    return HeldMeeting(**{**values, **more})  # type: ignore[arg-type]


def test_the_year_2020_reads_as_in_the_newspaper() -> None:
    meetings = [held(n, Scope.CENTRAL, date(2020, 3, 1)) for n in range(56)]
    meetings += [held(n, Scope.INTRA, date(2020, 12, 31)) for n in range(37)]
    year = periods.year(2020)
    assert wording.sentence(year, summarise(meetings, year.first, year.last)) == (
        "Năm 2020, hệ thống đã phục vụ 93 cuộc họp trực tuyến (56 cuộc họp Trung ương với tỉnh và "
        "37 cuộc họp nội tỉnh)."
    )


def test_an_empty_period_is_said_so() -> None:
    period = periods.month(2021, 2)
    said = wording.sentence(period, summarise([], period.first, period.last))
    assert said == "Tháng 2/2021, hệ thống chưa phục vụ cuộc họp trực tuyến nào."


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        (date(2020, 1, 1), date(2020, 12, 31), "Năm 2020"),
        (date(2021, 1, 1), date(2021, 3, 31), "Quý I/2021"),
        (date(2021, 10, 1), date(2021, 12, 31), "Quý IV/2021"),
        (date(2021, 2, 1), date(2021, 4, 30), "Từ ngày 01/02/2021 đến ngày 30/04/2021"),
        (date(2020, 2, 1), date(2020, 2, 29), "Tháng 2/2020"),
        (date(2021, 1, 1), date(2021, 6, 30), "6 tháng đầu năm 2021"),
        (date(2021, 7, 1), date(2021, 12, 31), "6 tháng cuối năm 2021"),
        (date(2021, 1, 1), date(2021, 9, 30), "9 tháng đầu năm 2021"),
        (date(2019, 12, 1), date(2020, 11, 30), "Từ ngày 01/12/2019 đến ngày 30/11/2020"),
        (date(2016, 1, 1), date(2020, 12, 31), "Giai đoạn 2016–2020"),
        (date(2021, 5, 4), date(2021, 5, 4), "Ngày 04/05/2021"),
    ],
)
def test_usual_periods_have_their_names(first: date, last: date, name: str) -> None:
    assert periods.name(Period(first, last)) == name


def test_days_are_read_in_both_ways_of_writing_and_no_other() -> None:
    assert periods.parse_day("2020-12-31") == date(2020, 12, 31)
    assert periods.parse_day(" 1/2/2021 ") == date(2021, 2, 1)
    for wrong in ("31/02/2021", "2021-13-01", "hôm nay", "", "١/١/2021", "0000-01-01"):
        assert periods.parse_day(wrong) is None


def test_the_comparison_says_more_less_or_nothing() -> None:
    earlier = periods.year(2020)

    def figures(count: int, number: int) -> Figures:
        meetings = [held(n, Scope.INTRA, date(number, 5, 5)) for n in range(count)]
        return summarise(meetings, date(number, 1, 1), date(number, 12, 31))

    def said(now: int, before: int) -> str:
        return wording.comparison(figures(now, 2021), figures(before, 2020), earlier)

    assert said(93, 70) == "So với cùng kỳ (năm 2020: 70 cuộc họp) tăng 32,9 %."
    assert said(3, 4) == "So với cùng kỳ (năm 2020: 4 cuộc họp) giảm 25,0 %."
    assert said(4, 4) == "So với cùng kỳ (năm 2020: 4 cuộc họp) không đổi."
    assert said(4, 0) == "Cùng kỳ (năm 2020) chưa có số liệu."


def test_sites_are_counted_apart_from_delegates() -> None:
    sites = {
        UnitLevel.DISTRICT: SitesOfLevel(invited=10, came=9, delegates=80, without_count=1),
        UnitLevel.COMMUNE: SitesOfLevel(invited=90, came=88, delegates=700, without_count=8),
    }
    one = held(1, Scope.INTRA, date(2020, 1, 1), sites=sites, invitation=InTime(1, 1), incidents=3)
    found = summarise([one], date(2020, 1, 1), date(2020, 1, 31))
    assert found.sites == SitesOfLevel(100, 97, 780, 9)
    assert found.by_month == {(2020, 1): Counter({Scope.INTRA: 1})}
    assert found.invitations.share == 1
    assert found.papers.share is None
    assert found.hours == 1.5


def test_savings_count_only_delegates_who_would_have_travelled() -> None:
    levels = {
        UnitLevel.PROVINCIAL_UNIT: SitesOfLevel(5, 5, 100, 0),
        UnitLevel.DISTRICT: SitesOfLevel(1, 1, 10, 0),
        UnitLevel.COMMUNE: SitesOfLevel(2, 2, 5, 1),
    }
    rates = Rates(district_km=50, commune_km=60, dong_per_km=1000, daily_allowance_dong=200_000,
                  km_per_hour=40)  # fmt: skip
    found = savings.estimate(levels, rates)
    assert found.travellers == 15
    assert found.kilometres == 2 * (10 * 50 + 5 * 60)
    assert found.hours == 40
    assert found.dong == 1600 * 1000 + 15 * 200_000
