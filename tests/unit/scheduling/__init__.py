"""Decisions about the schedule, without a database."""

from datetime import datetime

from conference.scheduling.local_time import VIETNAM


def at_clock(text: str) -> datetime:
    """An instant from Vietnam's clock: ``2026-12-10 8:00``."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=VIETNAM)
