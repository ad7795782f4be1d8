"""The sample province: the units of Kon Tum as they were in 2020, with invented people.

The data set `Dataset.KON_TUM_2020` holds 22 provincial units, 10 districts and 102 communes under
the province; each of the 134 gets one site. The sample shows the province as it stood, for
meetings of any date, so the end of validity in the file (the merger of 2025) is not taken over.
People, addresses and passwords are made up and say so: titles carry "(mẫu)", addresses end in
``.example`` (RFC 2606), which no mail server delivers.

Loading twice changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.directory import datasets
from conference.directory.datasets import Dataset
from conference.directory.models import Appointment, Person, Site, Unit, UnitLevel
from conference.directory.units import short_name
from conference.directory.vietnamese import fold, name_sort_key

PROVINCE_CODE: Final = "62"
OFFICE_CODE: Final = "62-S01"
HEALTH_CODE: Final = "62-S16"
INSPECTORATE_CODE: Final = "62-S18"
_MAIL_DOMAIN: Final = "kontum.example"
_HALL_CAPACITY: Final = 20


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody invented."""

    key: str
    full_name: str
    title: str
    unit_code: str
    may_chair: bool


PEOPLE: Final = (
    SamplePerson("chutoa", "Nguyễn Văn An", "Chủ tịch UBND tỉnh (mẫu)", PROVINCE_CODE, True),
    SamplePerson("pct1", "Y Thanh Bình", "Phó Chủ tịch UBND tỉnh (mẫu)", PROVINCE_CODE, True),
    SamplePerson("pct2", "Trần Quốc Cường", "Phó Chủ tịch UBND tỉnh (mẫu)", PROVINCE_CODE, True),
    SamplePerson("cvp", "Lê Thị Dung", "Chánh Văn phòng UBND tỉnh (mẫu)", OFFICE_CODE, True),
    SamplePerson("thuky", "Hoàng Thị Hạnh", "Chuyên viên tổng hợp (mẫu)", OFFICE_CODE, False),
    SamplePerson("thuky2", "A Đức Minh", "Chuyên viên tổng hợp (mẫu)", OFFICE_CODE, False),
    SamplePerson("vanthu", "Vũ Ngọc Khánh", "Văn thư (mẫu)", OFFICE_CODE, False),
    SamplePerson("kythuat", "Bùi Đức Long", "Cán bộ kỹ thuật (mẫu)", OFFICE_CODE, False),
    SamplePerson("daibieu", "Đinh Thị Nga", "Phó Giám đốc Sở Y tế (mẫu)", HEALTH_CODE, False),
    SamplePerson("kiemtra", "Phan Thị Mai", "Thanh tra viên (mẫu)", INSPECTORATE_CODE, False),
)


def load_directory(session: Session) -> bool:
    """Add units, sites and people in the caller's transaction. False if they are there already."""
    if session.scalar(select(Unit.id).where(Unit.code == PROVINCE_CODE)) is not None:
        return False
    units = datasets.load_units(session, Dataset.KON_TUM_2020, is_timeless=True)
    session.add_all(_site(unit) for unit in units.values() if unit.level is not UnitLevel.PROVINCE)
    session.add_all(_people(units))
    session.flush()
    return True


def _site(unit: Unit) -> Site:
    name = short_name(unit.name)
    return Site(
        unit=unit,
        name=name,
        room=f"Phòng họp trực tuyến {name[:1].lower()}{name[1:]}",
        capacity=_HALL_CAPACITY,
        email=f"diemcau.{unit.code.lower()}@{_MAIL_DOMAIN}",
        technician_name="",
        technician_phone="",
        is_active=True,
    )


def _people(units: dict[str, Unit]) -> Iterator[Person]:
    for rank, person in enumerate(PEOPLE, start=1):
        yield Person(
            full_name=person.full_name,
            name_folded=fold(person.full_name),
            sort_key=name_sort_key(person.full_name)[:120],
            title=person.title,
            unit=units[person.unit_code],
            email=f"{person.key}@{_MAIL_DOMAIN}",
            phone="",
            protocol_order=rank,
            may_chair=person.may_chair,
            appointments=[
                Appointment(
                    unit=units[person.unit_code],
                    title=person.title,
                    protocol_order=rank,
                    may_chair=person.may_chair,
                )
            ],
        )
