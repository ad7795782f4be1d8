"""One meeting from the invitation to the archive, by the people who hold it.

The whole service runs as ``diemcau serve`` starts it; a chair and two sites meet in three
browsers with fake cameras and microphones, and every assertion is about something one of them, or
the clerk afterwards, would notice: pictures that move, sound that is heard, names in the roster,
a light that says REC, cells of a workbook, a film that plays.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import av
import docx
import openpyxl
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from conference.access.sample import PASSWORD
from conference.archive import recording as recordings
from conference.archive.models import Recording
from conference.database import Database
from conference.directory.models import Site
from tests.support.browser import invite, log_in, new_context, screenshot
from tests.support.mailbox import Mailbox
from tests.support.playing import brightest, loudness_db
from tests.support.service import Service, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.media, pytest.mark.timeout(420)]

TITLE = "Giao ban trực tuyến tháng 12"
SITES = ("Sở Y tế", "Xã Ia Tơi")
"""As the tree of sites names them."""
UNITS = ("Sở Y tế", "Ủy ban nhân dân xã Ia Tơi")
"""The offices they belong to, as documents name them."""
RECORDED_S = 12.0
"""How long the meeting is recorded, so that the film has something to show."""

KEEP_CONNECTIONS = """
const Original = window.RTCPeerConnection;
window.connections = [];
window.RTCPeerConnection = class extends Original {
  constructor(...all) { super(...all); window.connections.push(this); }
};
"""
RECEIVED = """async () => {
  const total = {frames: 0, energy: 0, moving: 0};
  for (const connection of window.connections ?? []) {
    for (const one of (await connection.getStats()).values()) {
      if (one.type !== 'inbound-rtp') continue;
      if (one.kind === 'video') {
        total.frames += one.framesDecoded ?? 0;
        total.moving += one.framesDecoded > 10 ? 1 : 0;
      } else total.energy += one.totalAudioEnergy ?? 0;
    }
  }
  return total;
}"""


@dataclass
class Hall:
    """The service and the browsers of those who meet."""

    service: Service
    mailbox: Mailbox
    chromium: Browser
    database: Database

    def browser(self, size: str = "desktop") -> BrowserContext:
        """One person's browser."""
        context = new_context(self.chromium, self.service.url, size)
        context.add_init_script(KEEP_CONNECTIONS)
        return context

    def logged_in(self, username: str) -> Page:
        """A page of somebody with an account."""
        page = self.browser().new_page()
        log_in(page, username, PASSWORD)
        return page

    def address_of(self, site: str) -> str:
        """Where a site gets its mail."""
        with self.database.reading() as session:
            return session.query(Site).filter(Site.name.endswith(site)).one().email

    def recording(self, meeting_id: int) -> Recording:
        """The meeting's recording as the worker last told."""
        with self.database.reading() as session:
            found = recordings.latest(session, meeting_id)
            assert found is not None
            return found


@pytest.fixture
def hall(service: Service, mailbox: Mailbox, chromium: Browser) -> Iterator[Hall]:
    known = set(chromium.contexts)
    database = Database(service.settings.database_url)
    yield Hall(service, mailbox, chromium, database)
    for context in set(chromium.contexts) - known:
        context.close()
    database.dispose()


def schedule(secretary: Page) -> int:
    """The secretary invites two sites to a meeting that begins now; its number."""
    begins = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")) + timedelta(minutes=2)
    ends = min(begins + timedelta(hours=1), begins.replace(hour=23, minute=59))
    secretary.goto("/cuoc-hop/tao")
    secretary.check("input[name=classification][value=khong]")
    secretary.check("input[name=scope][value=intra]")
    secretary.fill("#title", TITLE)
    secretary.fill("#day", begins.strftime("%d/%m/%Y"))
    secretary.fill("#starts", begins.strftime("%H:%M"))
    secretary.fill("#ends", ends.strftime("%H:%M"))
    secretary.select_option("#chair", label="Nguyễn Văn An, Chủ tịch UBND tỉnh (mẫu)")
    secretary.select_option("#secretary", label="Hoàng Thị Hạnh, Chuyên viên tổng hợp (mẫu)")
    for site in SITES:
        secretary.fill("#tree-search", site)
        secretary.get_by_label(site, exact=True).check()
    secretary.fill("[name=agenda_title]", "Báo cáo tình hình dịch bệnh")
    invite(secretary)
    return int(urlsplit(secretary.url).path.split("/")[2])


def join_link(hall: Hall, site: str) -> str:
    """Path of the link in the letter that ``site`` received."""

    def letter() -> EmailMessage | None:
        found = [one for one in hall.mailbox.to(hall.address_of(site)) if TITLE in one["subject"]]
        return found[-1] if found else None

    received = wait_until(letter, f"a letter for {site}", 30)
    assert received is not None
    body = received.get_body(("plain",))
    assert body is not None
    link = re.search(r"https?://\S+(/vao/[\w-]+)", body.get_content())
    assert link is not None
    return link[1]


def enter(page: Page, address: str) -> Page:
    """Through the device check into the room, with the microphone on."""
    page.goto(address)
    page.get_by_label("Bật micro khi vào họp").check()
    page.get_by_role("button", name="Vào họp").click()
    return page


def sees_and_hears(page: Page, others: int) -> bool:
    """Whether pictures of ``others`` move here and sound arrives."""
    seen = page.evaluate(RECEIVED)
    return bool(seen["moving"] >= others and seen["energy"] > 0)


def pictures_go_on(page: Page) -> bool:
    """Whether more frames are decoded than a moment before."""
    before = page.evaluate(RECEIVED)["frames"]
    wait_until(lambda: page.evaluate(RECEIVED)["frames"] > before + 20, "moving pictures", 30)
    return True


def test_a_meeting_from_the_invitation_to_the_archive(hall: Hall, tmp_path: Path) -> None:
    secretary = hall.logged_in("thuky")
    meeting_id = schedule(secretary)
    links = [join_link(hall, site) for site in SITES]

    chair = enter(hall.logged_in("chutoa"), f"/phong/{meeting_id}")
    chair.get_by_role("button", name="Mở phòng").click()
    sites = [enter(hall.browser().new_page(), link) for link in links]
    everybody = [chair, *sites]

    asked_at, lit_at, ended_at = hold(hall, meeting_id, chair, sites)
    for page in everybody:
        expect(page.get_by_text("Cuộc họp đã kết thúc.").first).to_be_visible()

    film = film_is_complete(hall, secretary, meeting_id, tmp_path)
    # what the light promised is in the film, and nothing from before or after
    assert (ended_at - lit_at).total_seconds() - 1 <= film
    assert film <= (datetime.now(UTC) - asked_at).total_seconds()
    assert abs(film - (ended_at - lit_at).total_seconds()) <= 5
    sheet_names_those_who_came(secretary, meeting_id)
    minutes_are_an_official_paper(secretary, meeting_id)
    the_clerk_finds_it_and_an_outsider_does_not(hall, meeting_id)


def hold(
    hall: Hall, meeting_id: int, chair: Page, sites: list[Page]
) -> tuple[datetime, datetime, datetime]:
    """All that happens in the room; when recording was asked for, when REC was lit, the end."""
    everybody = [chair, *sites]
    for page in everybody:
        wait_until(lambda page=page: sees_and_hears(page, 2), "two others seen and heard", 60)
        assert pictures_go_on(page)
    expect(chair.locator(".top-bar")).to_contain_text("2/2")
    for unit in UNITS:
        expect(chair.locator(".roster-row", has_text=unit)).to_contain_text("Micro đang bật")

    first, second = sites
    first.get_by_role("button", name="Trao đổi").click()
    first.get_by_role("textbox", name="Viết tin gửi mọi người").fill("Kính báo cáo đồng chí")
    first.keyboard.press("Enter")
    expect(chair.get_by_role("tab", name="Trao đổi").locator(".tab-count")).to_have_text("1")

    asked_at = datetime.now(UTC)
    chair.get_by_role("button", name="Ghi", exact=True).click()
    for page in everybody:
        expect(page.get_by_test_id("recording")).to_contain_text("ĐANG GHI", timeout=30_000)
    began = datetime.now(UTC)

    second.get_by_role("button", name="Xin phát biểu").click()
    expect(chair.locator(".queue-row")).to_have_count(1)
    chair.get_by_role("button", name=re.compile(f"Mời {UNITS[1]}.* phát biểu")).first.click()
    expect(chair.get_by_test_id("speaker")).to_contain_text(UNITS[1])
    expect(first.get_by_test_id("speaker")).to_contain_text(UNITS[1])

    first.get_by_role("button", name="Micro").first.focus()
    expect(first.get_by_role("button", name="Micro").first).to_have_attribute(
        "aria-pressed", "true"
    )
    chair.get_by_role("button", name="Tắt tiếng tất cả").first.click()
    expect(first.get_by_role("button", name="Micro").first).to_have_attribute(
        "aria-pressed", "false"
    )
    for name, page in (("chair", chair), ("site", second)):
        screenshot(page, f"main-job-{name}")

    wait_until(
        lambda: (datetime.now(UTC) - began).total_seconds() > RECORDED_S,
        "some seconds to record",
        RECORDED_S + 5,
    )
    assert hall.recording(meeting_id).bytes_written > 50_000
    chair.get_by_role("button", name="Kết thúc cho tất cả").click()
    chair.get_by_role("dialog").get_by_role("button", name="Kết thúc cuộc họp").click()
    return asked_at, began, datetime.now(UTC)


def film_is_complete(hall: Hall, secretary: Page, meeting_id: int, folder: Path) -> float:
    """The film plays in the page, is whole, shows and sounds; how many seconds it lasts."""
    secretary.goto(f"/cuoc-hop/{meeting_id}/ban-ghi")
    video = secretary.locator("video")
    expect(video).to_be_visible(timeout=180_000)
    row = hall.recording(meeting_id)
    assert row.duration_s is not None
    assert row.gaps == []
    wait_until(
        lambda: abs(video.evaluate("one => one.duration || 0") - row.duration_s) <= 1,
        "the page knows how long the film is",
    )
    video.evaluate("one => { one.currentTime = 6; }")
    wait_until(
        lambda: video.evaluate("one => one.readyState >= 2 && one.currentTime >= 6"), "seeking"
    )
    screenshot(secretary, "main-job-film")
    path = folder / "film.mp4"
    source = video.get_attribute("src")
    assert source is not None
    path.write_bytes(secretary.request.get(source).body())
    with av.open(str(path)) as file:
        assert file.streams.video[0].codec_context.name == "h264"
        assert file.streams.audio[0].codec_context.name == "aac"
        assert abs((file.duration or 0) / av.time_base - row.duration_s) <= 1
    # Chromium's fake camera pulses between dark and bright green; black stays black
    assert brightest(path) > 25
    assert loudness_db(path, 1, row.duration_s - 1) > -60
    return row.duration_s


def sheet_names_those_who_came(secretary: Page, meeting_id: int) -> None:
    """The workbook has a line for each site, with the times it came and went."""
    answer = secretary.request.get(f"/cuoc-hop/{meeting_id}/diem-danh/xuat.xlsx")
    assert answer.ok
    page = openpyxl.load_workbook(io.BytesIO(answer.body()))["Điểm cầu"]
    rows = {row[1]: row for row in page.iter_rows(values_only=True) if row[1] in UNITS}
    assert set(rows) == set(UNITS)
    for row in rows.values():
        came, went, minutes = row[5], row[6], row[7]
        assert isinstance(came, datetime)
        assert isinstance(went, datetime)
        assert timedelta() < went - came < timedelta(minutes=10)
        assert minutes == pytest.approx((went - came).total_seconds() / 60, abs=0.2)
    sites = [row for row in page.iter_rows(values_only=True) if row[1] == "Có mặt"]
    assert sites[0][2] == 2


def minutes_are_an_official_paper(secretary: Page, meeting_id: int) -> None:
    """Drafted from what happened, edited, and exported with head and foot."""
    secretary.goto(f"/cuoc-hop/{meeting_id}/bien-ban")
    secretary.get_by_role("button", name="Tạo dự thảo từ nhật ký").click()
    course = secretary.get_by_label("Nội dung (theo diễn biến)")
    expect(course).to_have_value(re.compile(f"{SITES[1]} phát biểu"))
    conclusion = secretary.get_by_role("textbox", name="Kết luận của chủ tọa")
    conclusion.fill("Giao Sở Y tế theo dõi, báo cáo trước ngày 20/12.")
    with secretary.expect_response(lambda answer: answer.request.method == "POST"):
        secretary.get_by_role("button", name="Lưu", exact=True).click()
    answer = secretary.request.get(f"/cuoc-hop/{meeting_id}/bien-ban/bien-ban.docx")
    paper = docx.Document(io.BytesIO(answer.body()))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    text = "\n".join([*(one.text for one in paper.paragraphs), *cells])
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "BIÊN BẢN", TITLE,
        "Nguyễn Văn An", UNITS[0], UNITS[1], "Giao Sở Y tế theo dõi", "CHỦ TỌA", "THƯ KÝ",
    ):  # fmt: skip
        assert part in text, part
    pdf = secretary.request.get(f"/cuoc-hop/{meeting_id}/bien-ban/bien-ban.pdf").body()
    assert pdf.startswith(b"%PDF-")


def the_clerk_finds_it_and_an_outsider_does_not(hall: Hall, meeting_id: int) -> None:
    """Unaccented words find the meeting; a site that was not invited sees nothing of it."""
    clerk = hall.logged_in("vanthu")
    for words in ("giao ban truc tuyen", "GIAO BAN TRUC", "giao bán trực tuyến"):
        clerk.goto(f"/cuoc-hop?q={words}")
        expect(clerk.get_by_role("link", name=TITLE).first).to_be_visible()
    answer = clerk.request.get(
        f"/cuoc-hop/{meeting_id}/ban-ghi/{hall.recording(meeting_id).id}/phim.mp4",
        headers={"Range": "bytes=0-1023"},
    )
    assert answer.status == 206
    assert len(answer.body()) == 1024
    outsider = hall.logged_in("diemcau2")
    for tab in ("tong-quan", "ban-ghi", "diem-danh", "bien-ban"):
        refused = outsider.request.get(f"/cuoc-hop/{meeting_id}/{tab}")
        assert refused.status in {403, 404}
        assert TITLE not in refused.text()
