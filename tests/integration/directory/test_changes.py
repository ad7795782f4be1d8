"""Reforms in a real database: what ends, what begins, what goes along."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.database import Database
from conference.directory import changes, datasets, keeping, tree, units
from conference.directory.changes import ChangeDraft, NewUnit
from conference.directory.datasets import REFORM_DAY, Dataset
from conference.directory.keeping import UnitFacts
from conference.directory.models import (
    Appointment,
    ChangeKind,
    CodeSystem,
    Site,
    Unit,
    UnitLevel,
)
from conference.errors import InvalidError, NotFoundError
from tests.support.province import AT, Province

DAY = date(2027, 1, 1)
BEFORE = date(2026, 12, 31)
GROUND = "Nghị quyết 1/NQ-HĐND"


@pytest.fixture
def province(tmp_path: Path) -> Province:
    return Province(tmp_path)


def find(session: Session, code: str) -> Unit:
    return session.scalars(select(Unit).where(Unit.code == code, Unit.valid_to.is_(None))).one()


def draft(
    kind: ChangeKind, *units: Unit, new: tuple[NewUnit, ...] = (), **more: int
) -> ChangeDraft:
    return ChangeDraft(kind, DAY, GROUND, tuple(unit.id for unit in units), new, **more)


def record(session: Session, change: ChangeDraft) -> None:
    changes.record_change(session, change, recorded_by="Quản trị", at=AT)


def names_on(session: Session, day: date) -> dict[str, str]:
    return {site.name: site.unit.name for site in units.sites_on(session, day)}


def test_a_renamed_unit_keeps_its_room_and_its_people_and_its_past(province: Province) -> None:
    new = NewUnit("Sở Nội vụ và Lao động", "62-S02", "sở")
    with province.database.transaction() as session:
        unit = find(session, "62-S02")
        session.add(Appointment(person_id=1, unit_id=unit.id, title="Giám đốc Sở (mẫu)"))
        session.flush()
        seen = changes.effects(session, draft(ChangeKind.RENAMED, unit, new=(new,)))
        assert (seen.sites, seen.people, seen.children) == (1, 1, 0)
        record(session, draft(ChangeKind.RENAMED, unit, new=(new,)))
    with province.database.reading() as session:
        assert "Sở Nội vụ" in names_on(session, BEFORE).values()
    with province.database.reading() as session:
        assert names_on(session, DAY)["Sở Nội vụ và Lao động"] == "Sở Nội vụ và Lao động"
        life = tree.biography(session, find(session, "62-S02").id, DAY)
        assert [step.change.kind for step in life.origin] == [ChangeKind.RENAMED]
        assert [unit.name for unit in life.origin[0].units] == ["Sở Nội vụ"]
        offices = session.scalars(
            select(Appointment).where(Appointment.title == "Giám đốc Sở (mẫu)")
        ).all()
        assert [(o.valid_from, o.valid_to) for o in offices] == [(None, BEFORE), (DAY, None)]


def test_merged_units_leave_their_rooms_to_one_and_their_offices_end(province: Province) -> None:
    new = NewUnit("Sở Nông nghiệp và Môi trường", "62-S30", "sở")
    with province.database.transaction() as session:
        farms, lands = find(session, "62-S07"), find(session, "62-S10")
        session.add(Appointment(person_id=1, unit_id=lands.id, title="Giám đốc (mẫu)"))
        record(session, draft(ChangeKind.MERGED, farms, lands, new=(new,)))
    with province.database.reading() as session:
        sites = [s for s in units.sites_on(session, DAY) if s.unit.code == "62-S30"]
        assert sorted(site.name for site in sites) == [
            "Sở Nông nghiệp và Môi trường",
            "Sở Nông nghiệp và Môi trường (Sở Tài nguyên và Môi trường cũ)",
        ]
        office = session.scalars(
            select(Appointment).where(Appointment.title == "Giám đốc (mẫu)")
        ).one()
        assert office.valid_to == BEFORE
        assert len(units.sites_on(session, DAY)) == 134


def test_an_abolished_district_leaves_its_communes_to_the_province(province: Province) -> None:
    with province.database.transaction() as session:
        district = find(session, "618")
        record(session, draft(ChangeKind.ABOLISHED, district))
    with province.database.reading() as session:
        commune = next(s for s in units.sites_on(session, DAY) if s.unit.code == "23538")
        assert commune.unit.parent is not None
        assert commune.unit.parent.code == "62"
        assert len(units.sites_on(session, DAY)) == 133
        roots = tree.tree_on(session, DAY)
        assert "23538" in {child.unit.code for child in roots[0].children}
    with province.database.reading() as session:
        commune = next(s for s in units.sites_on(session, BEFORE) if s.unit.code == "23538")
        assert commune.unit.parent is not None
        assert commune.unit.parent.code == "618"


def test_a_split_and_a_move_are_recorded_with_their_places(province: Province) -> None:
    parts = (NewUnit("Xã A", "99001", "xã"), NewUnit("Xã B", "99002", "xã"))
    with province.database.transaction() as session:
        record(session, draft(ChangeKind.SPLIT, find(session, "23281"), new=parts))
        target = find(session, "610")
        moving = find(session, "23538")
        record(session, draft(ChangeKind.MOVED, moving, parent_id=target.id))
    with province.database.reading() as session:
        found = {site.unit.code: site.unit for site in units.sites_on(session, DAY)}
        assert found["99001"].name == "Xã A"
        assert "99002" not in found  # the room is the first's; the second gets its own
        parent = found["23538"].parent
        assert parent is not None
        assert parent.code == "610"


@pytest.mark.parametrize(
    ("kind", "codes", "new", "field"),
    [
        (ChangeKind.RENAMED, ["62-S02"], NewUnit("", "62-S02", "sở"), "opening"),
        (ChangeKind.RENAMED, ["62-S02"], NewUnit("Sở X", "62-S03", "sở"), "opening"),
        (ChangeKind.RENAMED, ["62-S02"], NewUnit("Sở X", "=1+1", "sở"), "opening"),
        (ChangeKind.MERGED, ["62-S02"], NewUnit("Sở X", "X", "sở"), "units"),
        (ChangeKind.MOVED, ["62"], None, "parent"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_beside_its_field(
    province: Province, kind: ChangeKind, codes: list[str], new: NewUnit | None, field: str
) -> None:
    with province.database.transaction() as session:
        found = [find(session, code) for code in codes]
        parent = {"parent_id": found[0].id} if kind is ChangeKind.MOVED else {}
        wanted = draft(kind, *found, new=(new,) if new else (), **parent)
        with pytest.raises(InvalidError) as caught:
            changes.effects(session, wanted)
        assert field in caught.value.fields


def test_a_unit_abolished_yesterday_cannot_be_changed_again(province: Province) -> None:
    with province.database.transaction() as session:
        district = find(session, "618")
        record(session, draft(ChangeKind.ABOLISHED, district))
        with pytest.raises(InvalidError) as caught:
            record(session, draft(ChangeKind.ABOLISHED, district))
        assert "units" in caught.value.fields
        with pytest.raises(NotFoundError):
            record(session, ChangeDraft(ChangeKind.ABOLISHED, DAY, GROUND, (4711,)))


def test_a_unit_is_added_and_corrected_and_may_have_several_codes(province: Province) -> None:
    with province.database.transaction() as session:
        parent = find(session, "62")
        facts = UnitFacts(
            "62-S23", "Sở Du lịch", "sở", UnitLevel.PROVINCIAL_UNIT, parent.id, 30,
            codes=((CodeSystem.AGENCY, "H34.23"), (CodeSystem.AGENCY, "000.23.00.H34")),
        )  # fmt: skip
        unit = keeping.create_unit(session, facts)
        assert [code.code for code in unit.codes] == ["000.23.00.H34", "H34.23"]
        with pytest.raises(InvalidError) as caught:
            keeping.create_unit(session, facts)
        assert set(caught.value.fields) == {"code"}
        mended = UnitFacts("62-S23", "Sở Du lịch tỉnh", "sở", facts.level, parent.id, 30)
        told = keeping.correct_unit(session, unit.id, mended)
        assert told["name"] == ["Sở Du lịch", "Sở Du lịch tỉnh"]
        assert set(told) == {"name", "codes"}
        loop = UnitFacts("62", "Tỉnh", "tỉnh", UnitLevel.PROVINCE, unit.id, 1)
        with pytest.raises(InvalidError) as caught:
            keeping.correct_unit(session, parent.id, loop)
        assert set(caught.value.fields) == {"parent"}


def test_both_provinces_load_and_each_day_has_its_own_tree(any_database: Database) -> None:
    with any_database.transaction() as session:
        for unit in datasets.load_units(session, Dataset.KON_TUM_2020).values():
            if unit.level is not UnitLevel.PROVINCE:
                session.add(Site(unit=unit, name=units.short_name(unit.name)))
    with any_database.transaction() as session:
        added = datasets.load(session, Dataset.QUANG_NGAI_2025, recorded_by="Quản trị", at=AT)
        assert added == 113
        again = datasets.load(session, Dataset.QUANG_NGAI_2025, recorded_by="Quản trị", at=AT)
        assert again == 0
    with any_database.reading() as session:
        assert tree.count_on(session, date(2020, 6, 1)) == 135
        assert tree.count_on(session, REFORM_DAY) == 113
        (kon_tum,) = tree.tree_on(session, date(2020, 6, 1))
        (quang_ngai,) = tree.tree_on(session, REFORM_DAY)
        assert (kon_tum.size, quang_ngai.size) == (135, 113)
        levels = {child.unit.level for child in quang_ngai.children}
        assert levels == {UnitLevel.PROVINCIAL_UNIT, UnitLevel.COMMUNE}
        pxi = session.scalars(select(Unit).where(Unit.name.endswith("xã Đăk Pxi"))).one()
        life = tree.biography(session, pxi.id, date(2026, 1, 1))
        assert {unit.code for unit in life.origin[0].units} == {"23503", "23504"}
        assert life.origin[0].change.kind is ChangeKind.MERGED
    with any_database.reading() as session:
        after = [site for site in units.sites_on(session, REFORM_DAY) if site.unit_id == pxi.id]
        assert len(after) == 2  # both old seats go on as rooms of the new commune
    with any_database.reading() as session:
        assert len(units.sites_on(session, date(2020, 6, 1))) == 134


def test_the_reform_can_be_loaded_into_the_sample(province: Province) -> None:
    with province.database.transaction() as session:
        datasets.load(session, Dataset.QUANG_NGAI_2025, recorded_by="Quản trị", at=AT)
    with province.database.reading() as session:
        now = units.sites_on(session, date(2026, 6, 1))
        choice = units.choice_tree(now)
        assert [group.key for group in choice] == ["provincial_unit", "commune"]
        assert choice[1].leaves
        assert not choice[1].groups  # no districts any more
    with province.database.reading() as session:
        assert len(units.sites_on(session, date(2025, 6, 30))) == 134


def test_units_are_found_without_marks_the_exact_ones_first(province: Province) -> None:
    with province.database.reading() as session:
        found = tree.search(session, BEFORE, "dak ha")
        assert {unit.code for unit in found} >= {"615", "23500", "23425"}
        exact = tree.search(session, BEFORE, "Đăk Long")
        assert exact[0].code == "23504"  # Đăk Long before Đắk Long
        assert {unit.code for unit in exact} == {"23504", "23368"}
