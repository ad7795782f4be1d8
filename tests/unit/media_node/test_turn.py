"""Passwords for TURN servers, and who is told of them."""

import base64
import hashlib
import hmac

import pytest

from media.core.turn import LIFETIME_S, turn_password
from media.settings import RtcSettings, Settings, SettingsError

KEYS = {"devkey": "a-secret-that-is-long-enough-for-hs256"}


def test_a_password_names_its_end_and_is_checked_with_the_secret_alone() -> None:
    made = turn_password("shared", "site:4", 1_700_000_000.9)
    end, _, identity = made.username.partition(":")
    assert (int(end), identity) == (1_700_000_000 + LIFETIME_S, "site:4")
    digest = hmac.new(b"shared", made.username.encode(), hashlib.sha1).digest()
    assert made.credential == base64.b64encode(digest).decode()
    assert turn_password("other", "site:4", 1_700_000_000.9).credential != made.credential


@pytest.mark.parametrize(
    "wrong",
    [
        {"turn_urls": ("turn:relay.example:3478",)},
        {"turn_urls": ("https://relay.example",), "turn_secret": "s"},
        {"tcp_port": 70_000},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"rtc\."):
        Settings(keys=KEYS, rtc=RtcSettings(**wrong))  # type: ignore[arg-type]
