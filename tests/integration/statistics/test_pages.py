"""The page of figures, its files and its method; the command; both databases."""

import subprocess
import sys
import zipfile
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pymupdf
import pytest
from docx import Document
from openpyxl import load_workbook

from conference.access import sample
from conference.attendance.models import (
    AttendanceMark,
    AttendanceStatus,
    EvidenceKind,
    EvidenceSource,
    PresenceEvidence,
)
from conference.conclusions.models import Notice
from conference.database import Database
from conference.scheduling.local_time import local_day
from conference.scheduling.models import InvitedSite, Meeting, Scope
from conference.statistics import gather, periods
from conference.statistics.service import overview
from tests.integration.statistics.conftest import Year
from tests.support.held_year import fill_year
from tests.support.province import AT, counted_queries

PERIOD = "tu=2020-01-01&den=2020-12-31"
SENTENCE = (
    "Năm 2020, hệ thống đã phục vụ 93 cuộc họp trực tuyến (56 cuộc họp Trung ương với tỉnh và "
    "37 cuộc họp nội tỉnh)."
)


def test_the_page_says_the_sentence_and_stays_within_twelve_statements(year: Year) -> None:
    browser = year.browser("thuky")
    with counted_queries(year.province.database) as seen:
        page = browser.get(f"/thong-ke?{PERIOD}")
    assert SENTENCE in page.text
    assert "So với cùng kỳ (năm 2019: 70 cuộc họp) tăng 32,9 %." in page.text
    statements = [one for one in seen if one.lstrip().upper().startswith("SELECT")]
    assert len(statements) <= 12


@pytest.mark.parametrize("username", ["thuky", "chutoa", "vanthu", "quantri"])
def test_the_office_and_the_chair_see_figures(year: Year, username: str) -> None:
    assert year.browser(username).get("/thong-ke").status_code == 200


@pytest.mark.parametrize("username", ["kythuat", "diemcau1"])
def test_technicians_and_sites_see_none(year: Year, username: str) -> None:
    answer = year.browser(username).get(f"/thong-ke?{PERIOD}")
    assert answer.status_code == 403
    assert "93 cuộc họp" not in answer.text


@pytest.mark.parametrize("query", ["tu=2020-02-31&den=2020-12-31", "tu=2021-01-01&den=2020-01-01",
                                   "tu=&den=2020-12-31", "tu='%22<b>&den=x"])  # fmt: skip
def test_a_period_that_is_none_is_said_beside_the_fields(year: Year, query: str) -> None:
    page = year.browser("thuky").get(f"/thong-ke?{query}")
    assert page.status_code == 422
    assert 'id="period-error"' in page.text
    assert "<b>" not in page.text


def test_a_tile_opens_the_meetings_behind_it(year: Year) -> None:
    browser = year.browser("thuky")
    late = browser.get(f"/thong-ke/cuoc-hop?{PERIOD}&loc=giay-moi-muon").text
    with year.province.database.reading() as session:
        found = overview(session, periods.year(2020), AT)
    count = found.figures.invitations.of - found.figures.invitations.kept
    assert count > 0
    assert late.count("<tr data-href") == count
    assert browser.get(f"/thong-ke/cuoc-hop?{PERIOD}&loc=noi-tinh").text.count("data-href") == 37


def test_the_report_is_a_paper_in_three_formats(year: Year) -> None:
    browser = year.browser("thuky")
    word = Document(BytesIO(browser.get(f"/thong-ke/bao-cao.docx?{PERIOD}").data))
    text = "\n".join(p.text for p in word.paragraphs)
    assert SENTENCE in text
    assert len(word.tables[1].rows) == 94  # a head and 93 meetings
    with pymupdf.open(stream=browser.get(f"/thong-ke/bao-cao.pdf?{PERIOD}").data) as pdf:
        flat = " ".join(" ".join(page.get_text() for page in pdf).split())
    assert SENTENCE in flat
    assert "BÁO CÁO" in flat
    book = load_workbook(BytesIO(browser.get(f"/thong-ke/bao-cao.xlsx?{PERIOD}").data))
    assert book.sheetnames == ["Tổng hợp", "Cuộc họp", "Đơn vị"]
    assert [cell.value for cell in book["Tổng hợp"][7]] == ["Cuộc họp", 93, 70]


def test_titles_cannot_become_formulas(year: Year) -> None:
    with year.province.database.transaction() as session:
        meeting = session.get_one(Meeting, fill_year(session, 2031, central=0, intra=1)[0])
        meeting.title = "=HYPERLINK(1)"
    period = "tu=2031-01-01&den=2031-12-31"
    data = year.browser("thuky").get(f"/thong-ke/bao-cao.xlsx?{period}").data
    cell = load_workbook(BytesIO(data))["Cuộc họp"].cell(5, 2)
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet2.xml")


def test_rates_are_set_by_the_administrator_and_change_the_estimate(year: Year) -> None:
    form = {"district_km": "10", "commune_km": "20", "dong_per_km": "1000",
            "daily_allowance_dong": "0", "km_per_hour": "50"}  # fmt: skip
    assert year.browser("thuky").post("/thong-ke/cach-tinh", data=form).status_code == 403
    admin = year.browser("quantri")
    wrong = admin.post("/thong-ke/cach-tinh", data={**form, "km_per_hour": "0"})
    assert wrong.status_code == 422
    assert "Nhập số từ 5 đến 200." in wrong.text
    assert 'value="20"' in wrong.text
    assert admin.post("/thong-ke/cach-tinh", data=form).status_code == 303
    with year.province.database.reading() as session:
        found = overview(session, periods.year(2020), AT)
    levels = {level.value: one.delegates for level, one in found.figures.by_level.items()}
    kilometres = 2 * (10 * levels.get("district", 0) + 20 * levels.get("commune", 0))
    assert found.savings.kilometres == kilometres > 0
    assert found.savings.dong == kilometres * 1000


def test_the_command_prints_the_sentence(year: Year) -> None:
    folder = year.province.database.engine.url.database
    assert folder is not None
    command = [sys.executable, "-m", "web.cli", "statistics", "--data", str(Path(folder).parent)]
    told = subprocess.run(
        [*command, "--from", "2020-01-01", "--to", "2020-12-31"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert told.stdout == SENTENCE + "\n"
    wrong = subprocess.run(
        [*command, "--from", "2020-02-31"], capture_output=True, text=True, check=False, timeout=60
    )
    assert wrong.returncode == 2
    assert "2020-02-31" in wrong.stderr


def test_figures_are_the_same_on_both_databases(any_database: Database) -> None:
    with any_database.transaction() as session:
        sample.load(session, AT)
        ids = fill_year(session, 2020, central=3, intra=2, sites=12)
    with any_database.transaction() as session:
        # one unmarked site was seen by the engine, another only marked as unmarked; a line broke
        unmarked = (
            session.query(InvitedSite)
            .filter(InvitedSite.meeting_id == ids[0], InvitedSite.position == 9)
            .one()
        )
        meeting = session.get_one(Meeting, ids[0])
        for kind, reason in ((EvidenceKind.JOINED, ""), (EvidenceKind.LEFT, "signal_close")):
            session.add(
                PresenceEvidence(
                    meeting_id=ids[0], identity=f"site:{unmarked.id}", participant_sid="PA_1",
                    kind=kind, source=EvidenceSource.WEBHOOK, at=meeting.starts_at, reason=reason,
                    event_key=kind.value, received_at=meeting.starts_at,
                )
            )  # fmt: skip
        session.add(
            AttendanceMark(
                meeting_id=ids[1],
                invited_site_id=session.query(InvitedSite.id)
                .filter(InvitedSite.meeting_id == ids[1], InvitedSite.position == 9)
                .scalar(),
                status=AttendanceStatus.UNMARKED, note="", marked_by="x", marked_at=AT,
            )
        )  # fmt: skip
    with any_database.transaction() as session:
        held = [session.get_one(Meeting, one) for one in ids]
        intra = [one for one in held if one.scope is Scope.INTRA]
        for one, days in zip(intra, (3, 20), strict=True):
            issued_on = local_day(one.starts_at) + timedelta(days=days)
            session.add(
                Notice(meeting_id=one.id, number="1", issued_on=issued_on, updated_by="x",
                       updated_at=AT)
            )  # fmt: skip
    with any_database.reading() as session:
        found = overview(session, periods.year(2020), AT)
        assert (found.figures.notices.kept, found.figures.notices.of) == (1, 2)
        assert found.figures.sites.invited == 60
        assert found.figures.sites.came == 5 * 10 + 1
        assert found.figures.incidents == 1
        units = gather.attendance_by_unit(session, gather.was_held(periods.year(2020)))
        assert sum(one.came for _, _, one in units) == 51
        assert gather.units_on(session, date(2020, 5, 5))
