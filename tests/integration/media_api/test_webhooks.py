"""Webhooks against a receiver that uses LiveKit's own verification."""

import asyncio

import pytest
from aiohttp import web
from livekit.protocol.models import Room
from livekit.protocol.webhook import WebhookEvent

from media.api import webhooks
from media.api.webhooks import MAX_WAITING, Webhooks, pauses_s
from tests.integration.media_api.receiver import KEY, SECRET, Receiver, serving


def event(name: str, room: str = "r", number: int = 0) -> WebhookEvent:
    return WebhookEvent(
        event=name, room=Room(name=room), id=f"EV_{room}_{number}", created_at=1_800_000_000
    )


async def test_the_official_receiver_accepts_a_notice() -> None:
    receiver = Receiver()
    async with serving(receiver) as url:
        sender = Webhooks((url,), KEY, SECRET)
        sender.notify(event("room_started", room="Họp giao ban"))
        await receiver.wait_for(1)
        await sender.close(grace_s=5)
    assert receiver.events[0].event == "room_started"
    assert receiver.events[0].room.name == "Họp giao ban"
    assert sender.delivered == 1
    assert sender.waiting == 0


async def test_notices_of_a_room_keep_their_order_across_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_S", 0.01)
    receiver = Receiver(failures=4)
    async with serving(receiver) as url:
        sender = Webhooks((url,), KEY, SECRET)
        for number in range(20):
            sender.notify(event("track_published", number=number))
        await receiver.wait_for(20)
        await sender.close(grace_s=5)
    assert [e.id for e in receiver.events] == [f"EV_r_{n}" for n in range(20)]


async def test_a_receiver_that_is_down_for_a_while_misses_nothing(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_S", 0.01)
    receiver = Receiver()
    sender = Webhooks((f"http://127.0.0.1:{unused_tcp_port}/hook",), KEY, SECRET)
    sender.notify(event("participant_joined"))
    await asyncio.sleep(0)
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    await receiver.wait_for(1)
    await sender.close(grace_s=5)
    await runner.cleanup()
    assert sender.delivered == 1


@pytest.mark.parametrize("status", [400, 401, 404, 302])
async def test_a_refusal_is_final_and_does_not_hold_up_the_next(status: int) -> None:
    receiver = Receiver(failures=1, status=status)
    async with serving(receiver) as url:
        sender = Webhooks((url,), KEY, SECRET)
        sender.notify(event("room_started", number=1))
        sender.notify(event("room_finished", number=2))
        await receiver.wait_for(1)
        await sender.close(grace_s=5)
    assert [e.id for e in receiver.events] == ["EV_r_2"]
    assert (sender.delivered, sender.failed) == (1, 1)


async def test_a_full_queue_drops_counts_and_tells_the_receiver() -> None:
    receiver = Receiver()
    receiver.gate.clear()
    async with serving(receiver) as url:
        sender = Webhooks((url,), KEY, SECRET)
        for number in range(MAX_WAITING + 5):
            sender.notify(event("track_published", room=f"r{number % 7}", number=number))
        assert sender.waiting == MAX_WAITING
        assert sender.dropped == 5
        receiver.gate.set()
        await receiver.wait_for(MAX_WAITING)
        sender.notify(event("room_finished", number=-1))
        await receiver.wait_for(MAX_WAITING + 1)
        await sender.close(grace_s=5)
    assert receiver.events[-1].num_dropped == 5


async def test_closing_does_not_wait_for_a_receiver_that_hangs() -> None:
    receiver = Receiver()
    receiver.gate.clear()
    async with serving(receiver) as url:
        sender = Webhooks((url,), KEY, SECRET)
        sender.notify(event("room_finished"))
        async with asyncio.timeout(5):
            await sender.close(grace_s=0.2)
    assert sender.waiting == 1


def test_pauses_grow_and_last_for_minutes() -> None:
    pauses = list(pauses_s())
    assert pauses == sorted(pauses)
    assert 300 <= sum(pauses) < 360
