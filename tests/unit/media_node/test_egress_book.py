"""media.core.egress: orders, leases, and states that never go back."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import egress as api

from media.core.egress import (
    KEPT_ENDED,
    LEASE_S,
    ORPHANED_AFTER_S,
    PROGRESS,
    RECORDER_PRESENT_S,
    EgressBook,
    EgressEndedError,
    EgressNotFoundError,
    NoRecorderError,
    file_path,
)


def order(book: EgressBook, now_s: float = 0.0, room: str = "hall") -> str:
    info = book.start(
        api.EgressInfo(room_name=room), at_ns=1, now_s=now_s, random_bytes=secrets.token_bytes
    )
    return info.egress_id


def say(book: EgressBook, worker: str, egress_id: str, status: str, now_s: float = 1.0) -> bool:
    news = api.EgressInfo(egress_id=egress_id, status=status)  # type: ignore[arg-type]
    return book.report(worker, news, at_ns=2, now_s=now_s)[0] is not None


def test_nothing_is_taken_while_no_recorder_polls() -> None:
    book = EgressBook()
    with pytest.raises(NoRecorderError):
        order(book)
    assert book.claim("w", 0.0) is None
    order(book)
    with pytest.raises(NoRecorderError):
        order(book, now_s=RECORDER_PRESENT_S + 1)


def test_an_order_goes_to_one_recorder_and_to_another_when_that_falls_silent() -> None:
    book = EgressBook()
    book.claim("a", 0.0)
    egress_id = order(book)
    job = book.claim("a", 0.0)
    assert job is not None
    assert job.info.egress_id == egress_id
    assert book.claim("b", LEASE_S) is None
    assert book.claim("b", LEASE_S + 1) is job
    assert not say(book, "a", egress_id, "EGRESS_ACTIVE")
    assert say(book, "b", egress_id, "EGRESS_ACTIVE")
    book.release("b", egress_id)
    assert book.claim("c", LEASE_S + 2) is job


def test_an_order_stopped_before_anybody_took_it_is_aborted() -> None:
    book = EgressBook()
    book.claim("a", 0.0)
    egress_id = order(book)
    assert book.stop(egress_id, 5).status == api.EGRESS_ABORTED
    assert book.claim("a", 0.0) is None
    with pytest.raises(EgressEndedError):
        book.stop(egress_id, 6)
    with pytest.raises(EgressNotFoundError):
        book.stop("EG_none", 6)


def test_an_order_nobody_works_on_fails() -> None:
    book = EgressBook()
    book.claim("a", 0.0)
    egress_id = order(book)
    assert book.sweep(at_ns=9, now_s=ORPHANED_AFTER_S) == []
    (failed,) = book.sweep(at_ns=9, now_s=ORPHANED_AFTER_S + 1)
    assert (failed.egress_id, failed.status) == (egress_id, api.EGRESS_FAILED)


def test_the_end_of_a_room_stops_its_recordings() -> None:
    book = EgressBook()
    book.claim("a", 0.0)
    here, there = order(book), order(book, room="other")
    book.claim("a", 0.0)
    say(book, "a", here, "EGRESS_ACTIVE")
    (stopped,) = book.room_ended("hall", 3)
    assert (stopped.egress_id, stopped.status) == (here, api.EGRESS_ENDING)
    assert book.room_ended("hall", 3) == []
    assert book.jobs[there].info.status == api.EGRESS_STARTING


def test_ended_orders_are_listed_for_a_while_and_then_forgotten() -> None:
    book = EgressBook()
    book.claim("a", 0.0)
    for _ in range(KEPT_ENDED + 5):
        book.stop(order(book), 1)
    last = order(book)
    book.sweep(at_ns=1, now_s=1.0)
    assert len(book.listed("", "", only_active=False)) == KEPT_ENDED + 1
    assert [info.egress_id for info in book.listed("hall", "", only_active=True)] == [last]
    assert book.listed("", last, only_active=False)[0].egress_id == last


@given(st.lists(st.tuples(st.sampled_from(["stop", *api.EgressStatus.keys()[:6]]), st.booleans())))
def test_whatever_is_said_in_whatever_order_a_recording_never_goes_back(
    history: list[tuple[str, bool]],
) -> None:
    book = EgressBook()
    book.claim("a", 0.0)
    egress_id = order(book)
    book.claim("a", 0.0)
    reached = 0
    for what, is_owner in history:
        if what != "stop":
            say(book, "a" if is_owner else "b", egress_id, what)
        elif book.jobs[egress_id].is_running:
            book.stop(egress_id, 3)
        now = PROGRESS[book.jobs[egress_id].info.status]
        assert now >= reached
        reached = now


@given(st.text(max_size=80))
def test_no_file_name_leads_out_of_its_folder(template: str) -> None:
    path = file_path(template, [("room_name", "../../etc")], ".mp4")
    parts = path.split("/")
    assert path
    assert not path.startswith("/")
    assert all(part.strip(".") for part in parts)
    assert "\\" not in path
    assert "\0" not in path


def test_file_names_are_filled_and_completed() -> None:
    values = [("room_name", "Họp/1"), ("time", "2026")]
    assert file_path("", values, ".mp4") == "Họp-1-2026.mp4"
    assert file_path("a/{room_name}.webm", values, ".mkv") == "a/Họp-1.webm"
