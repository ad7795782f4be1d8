"""Saving minutes: two editors, history, the draft from a real log."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from conference.conduct import voting
from conference.conduct.ballots import Tally
from conference.conduct.participants import person_participant
from conference.errors import ConflictError, InvalidError
from conference.minutes import service
from conference.minutes.models import Minutes
from conference.minutes.service import MinutesClashError, Text
from conference.scheduling.models import Status
from tests.support.live_meeting import STARTS_AT, LiveMeeting

T0 = STARTS_AT


def write(
    session: Session, held: LiveMeeting, course: str, version: int, by: str, at_s: int = 0
) -> Minutes:
    at = T0 + timedelta(seconds=at_s)
    return service.save(session, held.meeting, Text("", course, ""), version=version, by=by, at=at)


def test_the_second_editor_sees_what_the_first_has_written(
    session: Session, held: LiveMeeting
) -> None:
    first = write(session, held, "Bản của Bích", 0, "Bích")
    version = first.version
    write(session, held, "Bích sửa tiếp", version, "Bích", 5)
    with pytest.raises(MinutesClashError) as clash:
        write(session, held, "Bản của Lan", version, "Lan", 9)
    assert clash.value.current.course == "Bích sửa tiếp"
    kept = write(session, held, "Bản của Lan", clash.value.current.version, "Lan", 12)
    assert kept.course == "Bản của Lan"


def test_two_first_saves_do_not_overwrite_each_other(session: Session, held: LiveMeeting) -> None:
    write(session, held, "Bản của Bích", 0, "Bích")
    with pytest.raises(MinutesClashError):
        write(session, held, "Bản của Lan", 0, "Lan")


def test_saving_the_same_text_again_is_no_edit(session: Session, held: LiveMeeting) -> None:
    version = write(session, held, "Một", 0, "Bích").version
    assert write(session, held, "Một", 99, "Lan", 60).version == version


def test_history_keeps_one_text_of_a_run_of_autosaves(session: Session, held: LiveMeeting) -> None:
    version = 0
    for second in range(0, 30, 5):
        version = write(session, held, f"Gõ đến giây {second}", version, "Bích", second).version
    version = write(session, held, "Lan sửa", version, "Lan", 40).version
    row = write(session, held, "Bích sửa sau một lúc", version, "Bích", 200)
    courses = [revision.course for revision in service.history(session, row)]
    assert courses == ["Bích sửa sau một lúc", "Lan sửa", "Gõ đến giây 25"]


def test_text_stays_text_and_within_limits(session: Session, held: LiveMeeting) -> None:
    row = write(session, held, "a\r\n\r\nb\x00\x07<script>", 0, "Bích")
    assert row.course == "a\n\nb<script>"
    with pytest.raises(InvalidError):
        write(session, held, "x" * 200_001, row.version, "Bích")


def test_the_draft_tells_the_meeting_from_its_log(session: Session, held: LiveMeeting) -> None:
    text = service.draft_from_log(session, held.meeting, T0 + timedelta(hours=2))
    site = held.sites[0].site_name
    assert text.startswith(
        "Lúc 8 giờ 00 phút, đồng chí Nguyễn Văn Ước, Phó Chủ tịch UBND tỉnh chủ trì"
    )
    assert "Có 2/3 điểm cầu tham dự, 27 đại biểu" in text
    assert f"- {site} phát biểu lúc 8 giờ 12 phút (5 phút): …" in text
    assert f"- {site} phát biểu lúc 8 giờ 35 phút (55 phút): …" in text
    assert text.index("2. Báo cáo tình hình") < text.index("8 giờ 12 phút")


def test_the_draft_carries_votes_roll_call_and_marks(session: Session, held: LiveMeeting) -> None:
    chair = person_participant(held.chair, is_conducting=True)
    held.meeting.status = Status.LIVE
    at = T0 + timedelta(minutes=40)
    vote = voting.open_vote(session, held.meeting, chair, "Thông qua nghị quyết", False, 3, at)
    voting.count_hands(session, held.meeting, chair, vote.id, Tally(20, 3, 1))
    voting.close_vote(session, held.meeting, chair, vote.id, at)
    text = service.draft_from_log(session, held.meeting, T0 + timedelta(hours=2), recorded_from=T0)
    assert (
        "- Cuộc họp biểu quyết về “Thông qua nghị quyết” lúc 8 giờ 40 phút [0:40:00]: tán thành "
        "20, không tán thành 3, không có ý kiến 1." in text
    )
    assert "Điểm danh: vắng 1 đơn vị: UBND xã đăk pxi 3." in text
    assert "phát biểu lúc 8 giờ 12 phút (5 phút) [0:12:00]: …" in text


def test_signed_minutes_take_only_addenda(session: Session, held: LiveMeeting) -> None:
    row = write(session, held, "Bản ký", 0, "Bích")
    with pytest.raises(ConflictError):
        service.add_addendum(session, row, "Sớm quá", by="Bích", at=T0)
    service.sign(session, row, T0)
    empty = Text("", "", "")
    with pytest.raises(ConflictError):
        service.save_merged(session, held.meeting, Text("", "Sửa", ""), base=empty, by="Lan", at=T0)
    with pytest.raises(InvalidError):
        service.add_addendum(session, row, "  ", by="Lan", at=T0)
    service.add_addendum(session, row, "Bổ sung số liệu", by="Lan", at=T0)
    session.refresh(row)
    assert [one.text for one in row.addenda] == ["Bổ sung số liệu"]
    assert row.course == "Bản ký"
