"""A site checks its line, the board follows, the secretariat marks and exports."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import jwt
import pytest
from openpyxl import load_workbook

from conference.errors import EngineUnavailableError
from conference.line_checks import service
from conference.line_checks.models import Source
from conference.scheduling.models import PlanningSetting, Status
from tests.integration.line_checks.conftest import Checks
from tests.support.line_reports import report, unreachable
from tests.support.province import ENDS, STARTS, counted_queries
from web.services import EXTENSION


def test_a_good_check_by_link_turns_the_site_green_and_begins_the_checks(checks: Checks) -> None:
    assert "Chưa kiểm tra" in checks.board()
    told = checks.check(report())
    assert (told["grade"], told["findings"]) == ("green", [])
    with checks.database.reading() as session:
        meeting = checks.meeting(session)
        [row] = service.all_of(session, meeting.id)
        assert meeting.status is Status.CHECKING
        assert row.source is Source.BROWSER
        assert row.checked_by == checks.sites[0].site_name
        assert row.limits["check_down_kbps"] == 1500
        assert service.standing_of(session, meeting).green == 1
    board = checks.board()
    assert "Đã kiểm tra 1/4 điểm cầu" in board
    assert "2,4 Mb/s" in board


def test_what_is_wrong_is_named_with_what_to_do(checks: Checks) -> None:
    told = checks.check(unreachable(microphone="silent"))
    assert told["grade"] == "red"
    assert [one["what"] for one in told["findings"]] == [
        "Không nối được máy chủ hình ảnh, âm thanh.", "Micro chưa có tiếng.",
    ]  # fmt: skip
    assert "Không nối được máy chủ hình ảnh, âm thanh." in checks.board()
    told = checks.check(report(udp="blocked", via="tcp", down_kbps=900))
    assert told["grade"] == "amber"
    assert [one["what"] for one in told["findings"]] == [
        "Mạng chặn UDP; hình ảnh, âm thanh đi đường dự phòng, kém ổn định hơn.",
        "Tốc độ nhận thấp: 0,9 Mb/s.",
    ]  # fmt: skip


def test_the_newest_check_counts_and_older_ones_stay(checks: Checks) -> None:
    checks.check(report(microphone="missing"))
    checks.at += timedelta(minutes=5)
    checks.check(report())
    with checks.database.reading() as session:
        rows = service.history(session, checks.meeting_id, checks.sites[0].id)
        assert [row.grade.value for row in rows] == ["green", "red"]
        standing = service.standing_of(session, checks.meeting(session))
    assert (standing.green, standing.red, standing.open) == (1, 0, 3)
    page = checks.pages.browser().get(
        f"/cuoc-hop/{checks.meeting_id}/kiem-tra/{checks.sites[0].id}"
    )
    assert "Không tìm thấy micro." in page.get_data(as_text=True)


def test_rows_are_only_added(checks: Checks) -> None:
    checks.check(report())
    with (
        pytest.raises(AssertionError, match="only added"),
        checks.database.transaction() as session,
    ):
        service.all_of(session, checks.meeting_id)[0].note = "sửa"
    with (
        pytest.raises(AssertionError, match="only added"),
        checks.database.transaction() as session,
    ):
        session.delete(service.all_of(session, checks.meeting_id)[0])


def test_a_check_from_before_the_meeting_was_moved_no_longer_counts(checks: Checks) -> None:
    checks.check(report())
    with checks.database.transaction() as session:
        meeting = checks.meeting(session)
        meeting.starts_at += timedelta(days=7)
        meeting.ends_at += timedelta(days=7)
    with checks.database.reading() as session:
        standing = service.standing_of(session, checks.meeting(session))
        assert len(service.all_of(session, checks.meeting_id)) == 1
    assert (standing.checked, standing.open) == (0, 4)


def test_tokens_let_nobody_into_a_meeting(checks: Checks) -> None:
    client = checks.linked()
    answer = checks.take_turn(client).json
    secret = checks.pages.settings.media_secret()
    rooms = set()
    for name, token in [("probe", answer["probe"]), ("send", answer["send"])] + [
        ("receive", one) for one in answer["receive"]
    ]:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options=dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf"), False),
        )
        grants = claims["video"]
        rooms.add(grants["room"])
        assert claims["exp"] - claims["iat"] == 180
        assert claims["sub"].startswith(f"check:{checks.sites[0].id}:")
        assert not {"roomAdmin", "roomCreate", "roomList", "recorder"} & grants.keys()
        assert grants["canPublish"] == (name == "send")
        assert grants["canSubscribe"] == (name != "send")
        assert not grants["canPublishData"]
    [room] = rooms
    with checks.database.reading() as session:
        assert room != checks.meeting(session).room_name
    assert room.startswith("kiem-tra-")
    assert checks.take_turn(checks.linked(1), 1).json["send"] != answer["send"]


def set_limit(checks: Checks, **values: int) -> None:
    with checks.database.transaction() as session:
        for name, value in values.items():
            session.merge(
                PlanningSetting(name=name, value=str(value), changed_by="x", changed_at=checks.at)
            )


def test_only_so_many_sites_load_the_node_and_the_next_follows(checks: Checks) -> None:
    set_limit(checks, check_at_once=2, check_at_once_live=1)
    clients = [checks.linked(number) for number in range(4)]
    states = [checks.take_turn(client, n).json for n, client in enumerate(clients)]
    assert [one["state"] for one in states] == ["go", "go", "waiting", "waiting"]
    assert [one["ahead"] for one in states[2:]] == [0, 1]
    assert checks.send(clients[3], report(), 3).status_code == 409
    assert checks.send(clients[0], report(), 0).status_code == 200
    assert checks.take_turn(clients[3], 3).json["state"] == "waiting"
    assert checks.take_turn(clients[2], 2).json["state"] == "go"
    with checks.database.transaction() as session:
        checks.meeting(session).status = Status.LIVE
    assert checks.send(clients[1], report(), 1).status_code == 200
    waiting = checks.take_turn(clients[3], 3).json
    assert (waiting["state"], waiting["at_once"], waiting["is_live"]) == ("waiting", 1, True)
    assert checks.send(clients[2], report(), 2).status_code == 200
    assert checks.take_turn(clients[3], 3).json["state"] == "go"


def test_an_absent_node_is_left_for_the_browser_to_find(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_room: str) -> None:
        raise EngineUnavailableError

    engine = checks.pages.app.extensions[EXTENSION].engine
    monkeypatch.setattr(engine, "create_room", away)
    assert checks.take_turn(checks.linked()).json["state"] == "go"


def test_a_site_speaks_for_no_other_site(checks: Checks) -> None:
    client = checks.linked(0)
    assert checks.take_turn(client, 1).status_code == 404
    assert checks.send(client, report(), 1).status_code == 404
    account = checks.pages.browser("diemcau1")  # Sở Y tế
    assert checks.take_turn(account, 3).json["state"] == "go"
    assert checks.take_turn(account, 0).status_code == 404
    url = f"/cuoc-hop/{checks.meeting_id}/kiem-tra"
    assert account.get(f"{url}/{checks.sites[3].id}/thu").status_code == 200
    assert account.get(f"{url}/{checks.sites[0].id}/thu").status_code == 404
    assert account.get(url).status_code == 403
    assert checks.take_turn(checks.pages.browser("daibieu"), 0).status_code == 403
    assert checks.take_turn(checks.pages.browser(None), 0).status_code == 401
    technician = checks.pages.browser("kythuat")
    assert checks.take_turn(technician, 1).json["state"] == "go"
    assert checks.send(technician, report(), 1).status_code == 200
    assert client.get("/vao/khong-co/kiem-tra").status_code == 404


@pytest.mark.parametrize("body", [None, [], "x", {"site": "1"}, {"site": True}, {"site": 10**30}])
def test_a_body_that_is_none_changes_nothing(checks: Checks, body: object) -> None:
    client = checks.linked()
    for word in ("turn", "result"):
        assert client.post(checks.api(word), json=body).status_code in {401, 403, 404}
    with checks.database.reading() as session:
        assert service.all_of(session, checks.meeting_id) == []


def test_a_report_that_cannot_be_is_refused_and_the_turn_stays(checks: Checks) -> None:
    client = checks.linked()
    checks.take_turn(client)
    assert checks.send(client, report(rtt_ms="7")).status_code == 422
    assert checks.send(client, report()).status_code == 200


@pytest.mark.parametrize("minutes", [-25 * 60, 4 * 60])
def test_checks_are_closed_before_the_day_before_and_after_the_end(
    checks: Checks, minutes: int
) -> None:
    checks.at = STARTS + timedelta(minutes=minutes)
    client = checks.linked()
    assert checks.take_turn(client).status_code == 409
    page = client.get(f"/vao/{checks.sites[0].join_code}/kiem-tra").get_data(as_text=True)
    expected = "Kiểm tra mở lúc 8:00 09/12/2026." if minutes < 0 else "không còn nhận kết quả"
    assert expected in page
    assert checks.at < STARTS or checks.at >= ENDS


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.POSTPONED, Status.ENDED])
def test_a_meeting_that_is_off_takes_no_checks(checks: Checks, status: Status) -> None:
    with checks.database.transaction() as session:
        checks.meeting(session).status = status
    assert checks.take_turn(checks.linked()).status_code == 409


def test_a_call_is_written_down_with_its_reason(checks: Checks) -> None:
    site = checks.sites[1]
    browser = checks.pages.browser("kythuat")
    url = f"/cuoc-hop/{checks.meeting_id}/kiem-tra/{site.id}/ghi"
    answer = browser.post(url, data={"grade": "green", "note": "  "})
    assert answer.status_code == 422
    assert "Ghi rõ đã kiểm tra thế nào, với ai." in answer.get_data(as_text=True)
    answer = browser.post(url, data={"grade": "amber", "note": "Gọi đồng chí Sơn, nghe rõ"})
    assert answer.status_code == 422
    assert "Gọi đồng chí Sơn, nghe rõ" in answer.get_data(as_text=True), "nothing typed is lost"
    data = {"grade": "green", "note": "Gọi đồng chí Sơn, nghe rõ"}
    assert browser.post(url, data=data).status_code == 303
    with checks.database.reading() as session:
        [row] = service.history(session, checks.meeting_id, site.id)
    assert (row.source, row.note, row.checked_at) == (Source.HAND, data["note"], checks.at)
    assert row.checked_by == checks.pages.province.actors["kythuat"].name
    assert "Ghi qua điện thoại: Gọi đồng chí Sơn, nghe rõ" in checks.board()
    far = f"/cuoc-hop/{checks.meeting_id}/kiem-tra/99999/ghi"
    assert browser.post(far, data=data).status_code == 404


def rows_of(board: str) -> list[str]:
    return [part.partition('"')[0] for part in board.split('id="line-')[1:]]


def test_faults_come_first_and_filters_find(checks: Checks) -> None:
    checks.check(report(), 0)
    checks.check(report(camera="missing"), 1)
    checks.check(report(microphone="silent"), 3)
    numbers = [str(one.id) for one in checks.sites]
    assert rows_of(checks.board()) == [numbers[3], numbers[2], numbers[1], numbers[0]]
    assert rows_of(checks.board("?loc=loi")) == [numbers[3]]
    assert rows_of(checks.board("?loc=chua")) == [numbers[2]]
    assert rows_of(checks.board("?loc=luu-y")) == [numbers[1]]
    assert rows_of(checks.board("?q=so+y+te")) == [numbers[3]]
    assert rows_of(checks.board("?q=tran+thi+lan")) == [numbers[3]]
    assert "Không tìm thấy “khong co noi nay”." in checks.board("?q=khong+co+noi+nay")
    assert "0905 000 111" in checks.board()


def test_the_page_is_told_only_what_is_newer(checks: Checks) -> None:
    browser = checks.pages.browser()
    url = f"/cuoc-hop/{checks.meeting_id}/kiem-tra/thay-doi"
    assert browser.get(url).status_code == 204
    checks.check(report(), 0)
    news: dict[str, Any] = browser.get(url).json
    assert list(news["rows"]) == [str(checks.sites[0].id)]
    assert news["summary"] == "Đã kiểm tra 1/4 điểm cầu"
    assert browser.get(f"{url}?sau={news['newest']}").status_code == 204
    checks.check(report(speaker="not_heard"), 2)
    news = browser.get(f"{url}?sau={news['newest']}").json
    assert list(news["rows"]) == [str(checks.sites[2].id)]
    assert news["summary"] == "Đã kiểm tra 2/4 điểm cầu · 1 có lỗi"


def test_the_workbook_holds_the_board(checks: Checks) -> None:
    checks.check(report(down_kbps=4200, down_loss_permille=6), 0)
    with checks.database.transaction() as session:
        checks.meeting(session).title = "=HYPERLINK(1)"
    answer = checks.pages.browser().get(f"/cuoc-hop/{checks.meeting_id}/kiem-tra/bang.xlsx")
    assert answer.status_code == 200
    sheet = load_workbook(BytesIO(answer.get_data())).active
    assert sheet is not None
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[1][0] == "=HYPERLINK(1)"
    assert sheet.cell(2, 1).data_type == "s"
    assert cells[3][0] == "Đã kiểm tra 1/4 điểm cầu · 0 có lỗi"
    first = dict(zip(cells[5], cells[6], strict=True))
    assert first["Kết quả"] == "Sẵn sàng"
    assert (first["Nhận (Mb/s)"], first["Mất gói (%)"], first["Trễ (ms)"]) == ("4,2", "0,6", 18)
    assert cells[7][3] == "Chưa kiểm tra"


def test_the_whole_province_costs_as_many_statements_as_one_site(checks: Checks) -> None:
    counts = []
    for number in range(2):
        with counted_queries(checks.database) as seen:
            checks.board()
        counts.append(len(seen))
        checks.check(report(), number)
    assert max(counts) <= 12
    assert counts[0] == counts[1]
