"""A package leaves one installation and comes into another: the same records, read-only, once."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import conference.models  # noqa: F401
from conference.access.models import Account, Role
from conference.access.policy import Actor, Verb, may
from conference.archive import collect, package, rows, search, take_in
from conference.archive.models import ImportedFile, Recording
from conference.archive.verify import check
from conference.archive.write_rows import Folders, RefusedError
from conference.attendance import service as attendance
from conference.database import Base, Database
from conference.directory.models import Site, Unit, UnitLevel
from conference.errors import ConflictError, DomainError, InvalidError
from conference.invitations import delivery
from conference.invitations.models import OutboxMessage
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting, Paper, Status
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import account
from tests.support.same_records import comparable
from tests.support.whole_file import FILM, PDF, WholeFile, whole_file
from web.cli import main

AT = datetime(2027, 1, 5, 3, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
ADMIN = Actor(account_id=None, role=Role.ADMINISTRATOR, name="Quản trị")


def packed(session: Session, file: WholeFile) -> bytes:
    out = io.BytesIO()
    package.write(out, collect.package_of(session, file.meeting, file.stores, AT), KEY)
    return out.getvalue()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, int, bytes, str]]:
    """Installation A on SQLite with one meeting, its package, its key's fingerprint."""
    folder = tmp_path_factory.mktemp("a")
    database = Database(f"sqlite:///{folder / 'a.sqlite3'}")
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        file = whole_file(session, folder)
        session.flush()
        content = packed(session, file)
        meeting_id = file.meeting.id
    yield database, meeting_id, content, check(io.BytesIO(content)).key
    database.dispose()


def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "b" / "papers", tmp_path / "b" / "recordings")


def taken(
    database: Database, content: bytes, tmp_path: Path, key: str, at: datetime = AT
) -> take_in.Taken:
    with database.transaction() as session:
        return take_in.take_in(
            session, io.BytesIO(content), key=key, folders=folders(tmp_path), actor=ADMIN, at=at
        )


def resealed(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The package as its maker would have made it of other records."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        inside = {info.filename: old.read(info) for info in old.infolist()}
    manifest = json.loads(inside[package.MANIFEST])
    document = json.loads(inside[collect.RECORDS])
    change(document)
    items = [
        package.Item(one["path"], one["title"], inside[one["path"]])
        for one in manifest["files"]
        if one["path"] not in {"index.html", "metadata.json", "metadata.xml", collect.RECORDS}
    ]
    items.append(package.Item(collect.RECORDS, "", json.dumps(document).encode()))
    out = io.BytesIO()
    package.write(out, package.Package("Hồ sơ", "Văn phòng", AT, {}, items, []), KEY)
    return out.getvalue()


def test_what_comes_in_is_what_was_held_elsewhere(
    made: tuple[Database, int, bytes, str], any_database: Database, tmp_path: Path
) -> None:
    source, source_id, content, key = made
    result = taken(any_database, content, tmp_path, key)
    assert result.is_new
    with source.reading() as there, any_database.reading() as here:
        before = comparable(there, there.get_one(Meeting, source_id))
        meeting = here.get_one(Meeting, result.meeting_id)
        after = comparable(here, meeting)
        letters = before["outbox_message"]
        letters[1] |= {"state": "failed", "last_error": "Chưa gửi khi lập gói hồ sơ."}
        for name, expected in before.items():
            assert expected, f"{name} has no row to compare"
            assert after[name] == expected, name
        sheets = [
            [(line.site.site_name, line.intervals, line.counted_as) for line in found.sites]
            + [(line.name, line.intervals, line.presence) for line in found.people]
            for found in (
                attendance.sheet(there, there.get_one(Meeting, source_id), AT),
                attendance.sheet(here, meeting, AT),
            )
        ]
        assert sheets[0] == sheets[1]
        assert sheets[0][-1][0] == "Nguyễn Văn Ước"
        paper = here.scalars(select(Paper)).one()
        assert (folders(tmp_path).papers_dir / paper.stored_name).read_bytes() == PDF
        film = folders(tmp_path).recordings_dir / here.scalars(select(Recording)).one().folder
        assert (film / "recording.mp4").read_bytes() == FILM
        provenance = here.scalars(select(ImportedFile)).one()
        assert (provenance.source_key, provenance.source_meeting_id) == (key, source_id)
        assert (provenance.imported_by, provenance.imported_at) == ("Quản trị", AT)
        assert provenance.source_office == "Văn phòng UBND tỉnh"


def test_what_came_in_is_found_and_read_but_changed_by_nobody(
    made: tuple[Database, int, bytes, str], any_database: Database, tmp_path: Path
) -> None:
    result = taken(any_database, made[2], tmp_path, made[3])
    with any_database.reading() as session:
        meeting = session.get_one(Meeting, result.meeting_id)
        facts = meeting_facts(meeting)
        clerk = Actor(account_id=9, role=Role.CLERK, name="Văn thư")
        found = search.search(session, "ho chua thuy loi", actor=clerk)
        assert [hit.meeting.id for hit in found] == [meeting.id]
        chair = Actor(account_id=8, role=Role.SECRETARY, name="Thư ký", person_id=meeting.chair_id)
        for verb in Verb:
            reads = verb in {
                Verb.MEETING_LIST, Verb.MEETING_VIEW, Verb.PAPER_READ, Verb.RECORDING_VIEW,
                Verb.ATTENDANCE_VIEW, Verb.MINUTES_VIEW, Verb.LOG_VIEW, Verb.REPLY_VIEW,
                Verb.INVITATION_VIEW, Verb.ARCHIVE_EXPORT, Verb.ARCHIVE_DECIDE,
            }  # fmt: skip
            for who in (clerk, chair, ADMIN):
                assert may(who, verb, facts) is (reads and may(who, verb, facts)), verb
        assert not delivery.has_due(session, AT + timedelta(days=400))
        assert all(not one.content for one in session.scalars(select(OutboxMessage)))
        guests = session.scalars(select(Account)).all()
        assert guests
        assert not any(one.is_active or one.password_hash for one in guests)


def test_the_package_carries_no_link_that_opens_a_room(
    made: tuple[Database, int, bytes, str],
) -> None:
    with made[0].reading() as session:
        codes = [site.join_code for site in session.get_one(Meeting, made[1]).sites]
    with zipfile.ZipFile(io.BytesIO(made[2])) as archive:
        for info in archive.infolist():
            content = archive.read(info)
            assert not any(code.encode() in content for code in codes), info.filename


def counts(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def test_the_same_package_a_second_time_changes_nothing(
    made: tuple[Database, int, bytes, str], database: Database, tmp_path: Path
) -> None:
    first = taken(database, made[2], tmp_path, made[3])
    before, files = counts(database), sorted((tmp_path / "b").rglob("*"))
    again = taken(database, made[2], tmp_path, "")  # its key is known by now
    assert (again.is_new, again.meeting_id) == (False, first.meeting_id)
    assert counts(database) == before
    assert sorted((tmp_path / "b").rglob("*")) == files


def test_a_later_package_of_the_same_meeting_does_not_replace_the_record(
    made: tuple[Database, int, bytes, str], database: Database, tmp_path: Path
) -> None:
    taken(database, made[2], tmp_path, made[3])
    later = resealed(made[2], lambda document: document["meeting"].update(title="Khác"))
    with pytest.raises(ConflictError, match="gói khác"):
        taken(database, later, tmp_path, made[3])


@pytest.mark.parametrize("key", ["", "0" * 64])
def test_a_key_that_nobody_vouches_for_is_refused(
    made: tuple[Database, int, bytes, str], database: Database, tmp_path: Path, key: str
) -> None:
    before = counts(database)
    with pytest.raises(InvalidError, match=made[3]):
        taken(database, made[2], tmp_path, key)
    assert counts(database) == before


def test_an_edited_package_is_refused_and_the_file_named(
    made: tuple[Database, int, bytes, str], database: Database, tmp_path: Path
) -> None:
    with zipfile.ZipFile(io.BytesIO(made[2])) as old:
        inside = {info.filename: old.read(info) for info in old.infolist()}
    for path in (collect.RECORDS, "bien-ban/bien-ban.pdf", package.MANIFEST):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as new:
            for name, data in inside.items():
                new.writestr(name, data.replace(b"a", b"b", 1) if name == path else data)
        before = counts(database)
        with pytest.raises(RefusedError) as refused:
            taken(database, out.getvalue(), tmp_path, made[3])
        named = "manifest" if path == package.MANIFEST else path
        assert any(named in fault for fault in refused.value.faults)
        assert counts(database) == before
    assert not list((tmp_path / "b").rglob("*.*"))


def test_units_are_known_by_the_code_they_had_on_the_day(
    made: tuple[Database, int, bytes, str], database: Database, tmp_path: Path
) -> None:
    with made[0].reading() as session:
        site = session.get_one(Meeting, made[1]).sites[0].site
        code, name = site.unit.code, site.name

    def unit(title: str, from_day: date | None, to_day: date | None) -> Unit:
        return Unit(code=code, name=title, name_folded=title.lower(), type="xã",
                    level=UnitLevel.COMMUNE, valid_from=from_day, valid_to=to_day)  # fmt: skip

    with database.transaction() as session:
        then = unit("Tên ngày ấy", date(2025, 7, 1), date(2026, 12, 31))
        session.add_all([unit("Trước", None, date(2025, 6, 30)), then,
                         unit("Sau", date(2027, 1, 1), None)])  # fmt: skip
        session.flush()
        session.add(Site(unit_id=then.id, name=name))
        expected = then.id
    result = taken(database, made[2], tmp_path, made[3])
    with database.reading() as session:
        first = session.get_one(Meeting, result.meeting_id).sites[0]
        assert first.site.unit_id == expected
        assert session.scalar(select(func.count()).where(Site.name == name)) == 1


def test_a_unit_nobody_knows_comes_in_as_history(
    made: tuple[Database, int, bytes, str], database: Database, tmp_path: Path
) -> None:
    taken(database, made[2], tmp_path, made[3])
    with database.reading() as session:
        for unit in session.scalars(select(Unit)):
            assert unit.valid_from == unit.valid_to == date(2026, 12, 10)
        assert not any(session.scalars(select(Site.is_active)))


def test_a_meeting_that_is_not_over_stays_where_it_is_held(
    made: tuple[Database, int, bytes, str], database: Database, tmp_path: Path
) -> None:
    live = resealed(made[2], lambda document: document["meeting"].update(status="live"))
    with pytest.raises(InvalidError, match="chưa kết thúc"):
        taken(database, live, tmp_path, made[3])


def test_a_package_that_lies_about_a_paper_leaves_no_file_behind(
    made: tuple[Database, int, bytes, str], database: Database, tmp_path: Path
) -> None:
    def lie(document: dict[str, Any]) -> None:
        document["tables"]["paper"][0]["filename"] = "hoa-don.docx"

    before = counts(database)
    with pytest.raises(InvalidError, match="không đúng loại"):
        taken(database, resealed(made[2], lie), tmp_path, made[3])
    assert counts(database) == before
    assert not [one for one in (tmp_path / "b").rglob("*") if one.is_file()]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["../../etc/passwd", "site:1", "\0", "2026-13-01", 1 << 40, -1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner,
                                                                max_size=3),
    max_leaves=4,
)  # fmt: skip


PLACES = ("meeting", "units", "people", "sites", "accounts", *(one.name for one in rows.TABLES))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), column=st.integers(-4, 40), value=JSON)
def test_records_full_of_nonsense_are_refused_whole_or_taken_whole(
    made: tuple[Database, int, bytes, str],
    database: Database,
    tmp_path: Path,
    place: str,
    column: int,
    value: Any,
) -> None:
    def spoil(document: dict[str, Any]) -> None:
        within = document if place in document else document["tables"]
        if column < 0:
            within[place] = value
            return
        row = within[place] if place == "meeting" else within[place][0]
        row[sorted(row)[column % len(row)]] = value

    content = resealed(made[2], spoil)
    session = Session(database.engine)
    try:
        take_in.take_in(
            session, io.BytesIO(content), key=made[3], folders=folders(tmp_path), actor=ADMIN, at=AT
        )
    except DomainError:
        assert not [one for one in (tmp_path / "b").rglob("*") if one.is_file()]
        session.rollback()
        assert not session.scalar(select(func.count()).select_from(Meeting))
    finally:
        session.rollback()
        session.close()
        for one in (tmp_path / "b").rglob("*"):
            if one.is_file():
                one.unlink()


def test_a_package_full_of_air_is_refused_before_it_is_unpacked(
    database: Database, tmp_path: Path
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("du-lieu/ho-so.json", b" " * (20 << 20))
    with pytest.raises(RefusedError, match="far more"):
        taken(database, out.getvalue(), tmp_path, "")


def test_names_that_lead_out_are_refused(database: Database, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../papers/x", b"x")
    with pytest.raises(RefusedError, match="leads out"):
        taken(database, out.getvalue(), tmp_path, "")
    assert not (tmp_path / "papers").exists()


def test_the_command_takes_in_and_says_what_it_did(
    made: tuple[Database, int, bytes, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "goi.zip"
    path.write_bytes(made[2])
    words = ["take-in", str(path), "--data", str(tmp_path / "var")]
    assert main(words) == 1
    assert made[3] in capsys.readouterr().err
    assert main([*words, "--key", made[3]]) == 0
    assert capsys.readouterr().out.startswith("taken in: ")
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("was there already: ")
    path.write_bytes(made[2][:-400])
    assert main(words) == 1


# --- the page ------------------------------------------------------------------------------------


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldMeeting]:
    with held_meeting(tmp_path, status=Status.ENDED) as meeting:
        yield meeting


def administrator(held: HeldMeeting) -> Account:
    with held.database.transaction() as session:
        return account(session, "quantri", Role.ADMINISTRATOR, None)


def sent(content: bytes, key: str) -> dict[str, Any]:
    return {"file": (io.BytesIO(content), "goi.zip"), "key": key}


def test_the_page_names_what_differs_asks_for_the_key_and_shows_where_it_came_from(
    made: tuple[Database, int, bytes, str], held: HeldMeeting
) -> None:
    admin = held.browser(administrator(held))
    edited = admin.post("/luu-tru/nhap", data=sent(made[2].replace(b"%PDF-1.7", b"%PDF-1.8"), ""))
    assert edited.status_code == 422
    assert "đã bị sửa" in edited.text
    assert "tai-lieu/" in edited.text
    asked = admin.post("/luu-tru/nhap", data=sent(made[2], ""))
    assert asked.status_code == 422
    assert made[3] in asked.text
    done = admin.post("/luu-tru/nhap", data=sent(made[2], made[3].upper()))
    assert done.status_code == 303
    shown = admin.get(done.headers["Location"])
    assert "Hồ sơ của Văn phòng UBND tỉnh" in shown.text
    number = done.headers["Location"].split("/")[2]
    clerk = held.browser(held.live.clerk)
    for path, values in (
        ("diem-danh/xac-nhan", {}), ("bien-ban", {"course": "Khác", "version": "1"}),
        ("diem-danh/dai-bieu", {"names": "Ai"}),
    ):  # fmt: skip
        assert clerk.post(f"/cuoc-hop/{number}/{path}", data=values).status_code == 403
    for tab in ("tai-lieu", "tra-loi", "diem-danh", "ban-ghi", "bien-ban", "ket-luan", "nhat-ky"):
        page = clerk.get(f"/cuoc-hop/{number}/{tab}")
        assert page.status_code == 200, tab
    assert "Nhập từ nơi khác" in clerk.get("/tim-kiem?q=ho+chua+thuy+loi").text
    assert held.browser(held.live.clerk).get("/luu-tru/nhap").status_code == 403


# --- what a package holds ------------------------------------------------------------------------


def test_a_package_holds_every_part_of_the_file_and_its_index_leads_to_each(
    made: tuple[Database, int, bytes, str],
) -> None:
    with zipfile.ZipFile(io.BytesIO(made[2])) as archive:
        names = {info.filename for info in archive.infolist()}
        index = archive.read("index.html").decode()
        tables = {
            name: archive.read(name).decode("utf-8-sig") for name in names if name.endswith(".csv")
        }
        metadata = json.loads(archive.read("metadata.json"))
        papers = [archive.read(name) for name in names
                  if name in {"bien-ban/bien-ban.pdf", "diem-danh/diem-danh.pdf",
                              "ket-luan/ket-luan.pdf"}]  # fmt: skip
    folders_inside = {name.partition("/")[0] for name in names if "/" in name}
    assert folders_inside >= {
        "giay-moi", "tra-loi", "tai-lieu", "diem-danh", "bieu-quyet", "trao-doi", "nhat-ky",
        "ban-ghi", "bien-ban", "ket-luan", "ban-ky", "du-lieu",
    }  # fmt: skip
    assert {"giay-moi/giay-moi.docx", "giay-moi/giay-moi.pdf"} <= names
    assert all(f'href="{name}"' in index for name in names if "/" in name)
    assert "<script" not in index
    assert "Thông qua chương trình?,công khai,1,0,0" in tables["bieu-quyet/ket-qua.csv"]
    assert "tán thành" in tables["bieu-quyet/phieu-cong-khai.csv"]
    assert "<b>Nghe rõ</b>" in tables["trao-doi/trao-doi.csv"]
    assert "dakpxi@example.invalid" in tables["giay-moi/thu-da-gui.csv"]
    assert "Điểm danh: 1/3 điểm cầu đã điểm danh" in metadata["missing"]
    assert "Giấy mời: 1/2 thư đã gửi" in metadata["missing"]
    assert "Điểm danh: 1/3 điểm cầu đã điểm danh" in index
    assert len(papers) == 3
    assert all(b"pdfaid" in one for one in papers)
