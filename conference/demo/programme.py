"""What a sample year consists of: 93 meetings, 56 central and 37 of the province, invented.

The two numbers are those of Kon Tum in 2020; everything else is made up, the same for a year each
time it is made, and every title says "(mẫu)". Meetings stand on working days, one at a time, and
keep the length that QĐ 45/2018/QĐ-TTg allows for their kind. Pure.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from conference.scheduling.local_time import from_local
from conference.scheduling.models import Scope

CENTRAL: Final = 56
INTRA: Final = 37
LABEL: Final = "(mẫu)"

_CENTRAL_HOSTS: Final = (
    "Văn phòng Chính phủ", "Bộ Y tế", "Bộ Nội vụ", "Bộ Tài chính", "Bộ Giáo dục và Đào tạo",
    "Bộ Nông nghiệp và Phát triển nông thôn", "Bộ Công Thương", "Thanh tra Chính phủ",
)  # fmt: skip
_CENTRAL_TITLES: Final = (
    "Phiên họp Chính phủ với các địa phương tháng {month}",
    "Hội nghị trực tuyến toàn quốc về phòng, chống dịch bệnh",
    "Hội nghị triển khai nhiệm vụ cải cách hành chính",
    "Hội nghị thúc đẩy giải ngân vốn đầu tư công",
    "Hội nghị ứng phó mưa lũ, sạt lở đất",
    "Hội nghị tổng kết chương trình mục tiêu quốc gia",
    "Hội nghị triển khai năm học mới",
    "Hội nghị sơ kết công tác chuyển đổi số",
)
_INTRA_TITLES: Final = (
    "Giao ban Ủy ban nhân dân tỉnh tháng {month}",
    "Họp Ban Chỉ đạo phòng, chống dịch bệnh của tỉnh",
    "Họp rà soát tiến độ đầu tư công",
    "Hội nghị triển khai kế hoạch phát triển kinh tế - xã hội",
    "Tập huấn sử dụng hệ thống văn bản điện tử cho cấp xã",
    "Họp phòng, chống hạn và thiếu nước sinh hoạt",
)
_AGENDAS: Final = (
    ("Báo cáo tóm tắt", "Thảo luận", "Kết luận của chủ tọa"),
    ("Khai mạc", "Báo cáo chuyên đề", "Ý kiến các điểm cầu", "Kết luận"),
)
_MORNING: Final = time(8, 0)
_AFTERNOON: Final = time(14, 0)


@dataclass(frozen=True, slots=True)
class Planned:
    """One meeting of the sample year."""

    number: int
    scope: Scope
    title: str
    starts_at: datetime
    ends_at: datetime
    agenda: Sequence[str]
    external_host: str
    external_reference: str
    chair: int
    """Which of the people who may chair, counted from 0."""


def programme(year: int) -> list[Planned]:
    """The meetings of ``year`` in the order of their days."""
    chance = random.Random(year)  # noqa: S311 - a sample, not a secret
    days = sorted(chance.sample(_working_days(year), CENTRAL + INTRA))
    scopes = [Scope.CENTRAL] * CENTRAL + [Scope.INTRA] * INTRA
    chance.shuffle(scopes)
    return [
        _planned(number, scope, day, chance)
        for number, (scope, day) in enumerate(zip(scopes, days, strict=True), start=1)
    ]


def _working_days(year: int) -> list[date]:
    first = date(year, 1, 2)
    days = (first + timedelta(days=offset) for offset in range(363))
    return [day for day in days if day.weekday() < 5 and day.year == year]


def _planned(number: int, scope: Scope, day: date, chance: random.Random) -> Planned:
    is_central = scope is Scope.CENTRAL
    titles = _CENTRAL_TITLES if is_central else _INTRA_TITLES
    title = chance.choice(titles).format(month=f"{day.month}/{day.year}")
    starts_at = from_local(day, chance.choice((_MORNING, _AFTERNOON)))
    length = timedelta(minutes=chance.choice((90, 120, 150, 180, 210)))
    host = chance.choice(_CENTRAL_HOSTS) if is_central else ""
    return Planned(
        number=number,
        scope=scope,
        title=f"{title} {LABEL}",
        starts_at=starts_at,
        ends_at=starts_at + length,
        agenda=chance.choice(_AGENDAS),
        external_host=host,
        external_reference=f"Giấy mời số {number:02d}/GM {LABEL}" if is_central else "",
        chair=chance.randrange(3),
    )


@dataclass(frozen=True, slots=True)
class Course:
    """How one site took part: minutes after the start at which it came and left, or not at all."""

    sessions: Sequence[tuple[float, float, str]]
    """Came, left, and the engine's reason for the end."""
    delegates: int


def course(chance: random.Random, minutes: float) -> Course:
    """A site's part in a meeting of ``minutes``: most in time, some late, few absent or dropped."""
    dice = chance.random()
    delegates = chance.randint(3, 40)
    if dice < 0.03:
        return Course((), 0)
    came = chance.uniform(-15, -1) if dice > 0.09 else chance.uniform(6, 25)
    left = minutes + chance.uniform(0, 2) if dice < 0.97 else minutes - chance.uniform(20, 40)
    if 0.5 < dice < 0.54:
        broke = chance.uniform(came + 5, left - 10)
        again = (broke + chance.uniform(0.5, 3), left, "client_initiated")
        return Course(((came, broke, "signal_close"), again), delegates)
    return Course(((came, left, "client_initiated"),), delegates)
