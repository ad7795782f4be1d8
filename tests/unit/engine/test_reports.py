"""Reports of the media engine: only genuine ones are read."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.engine.webhooks import InvalidSignatureError, verify

KEY, SECRET = "diemcau", "a-secret-of-more-than-thirty-two-bytes"
AT = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)
REPORT = {
    "event": "participant_left",
    "id": "EV_abc",
    "createdAt": "1796864390",
    "room": {"name": "hop-1", "sid": "RM_1"},
    "participant": {
        "sid": "PA_1", "identity": "site:41", "name": "UBND xã Đăk Pxi",
        "disconnectReason": "CLIENT_INITIATED", "permission": {"canPublish": True},
    },
}  # fmt: skip


def signed(body: bytes, secret: str = SECRET, **changes: Any) -> str:
    claims = {
        "iss": KEY,
        "nbf": int(AT.timestamp()),
        "exp": int((AT + timedelta(minutes=5)).timestamp()),
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }
    return jwt.encode({**claims, **changes}, secret, algorithm="HS256")


def refused(body: bytes, authorization: str, at: datetime = AT) -> str:
    with pytest.raises(InvalidSignatureError) as caught:
        verify(body, authorization, KEY, SECRET, at)
    return str(caught.value)


BODY = json.dumps(REPORT).encode()


def test_a_genuine_report_is_read_whole() -> None:
    event = verify(BODY, signed(BODY), KEY, SECRET, AT)
    assert (event.id, event.kind) == ("EV_abc", "participant_left")
    assert (event.room_name, event.identity) == ("hop-1", "site:41")
    assert (event.participant_sid, event.participant_name) == ("PA_1", "UBND xã Đăk Pxi")
    assert event.reason == "client_initiated"
    assert event.created_at == datetime.fromtimestamp(1796864390, UTC)
    assert not event.is_hidden


@pytest.mark.parametrize("flag", ["hidden", "recorder"])
def test_helpers_are_hidden(flag: str) -> None:
    report = {**REPORT, "participant": {"identity": "recorder:1", "permission": {flag: True}}}
    body = json.dumps(report).encode()
    assert verify(body, signed(body), KEY, SECRET, AT).is_hidden


def test_an_altered_body_is_refused() -> None:
    assert "another body" in refused(BODY.replace(b"site:41", b"site:42"), signed(BODY))


def test_another_secret_key_or_algorithm_is_refused() -> None:
    refused(BODY, signed(BODY, secret="another-secret-of-thirty-two-bytes-or-so"))
    refused(BODY, signed(BODY, iss="somebody"))
    unsigned = jwt.encode({"iss": KEY, "exp": 2_000_000_000}, "", algorithm="none")
    refused(BODY, unsigned)
    refused(BODY, "")


def test_an_old_or_early_report_is_refused() -> None:
    refused(BODY, signed(BODY), AT + timedelta(minutes=6))
    refused(BODY, signed(BODY), AT - timedelta(minutes=2))
    long_lived = signed(BODY, exp=int((AT + timedelta(days=9)).timestamp()))
    assert "too old" in refused(BODY, long_lived, AT + timedelta(minutes=7))


@given(st.binary(max_size=200), st.text(max_size=200))
def test_any_bytes_are_an_event_or_refused(body: bytes, authorization: str) -> None:
    for token in (authorization, signed(body)):
        try:
            verify(body, token, KEY, SECRET, AT)
        except InvalidSignatureError:
            continue


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*REPORT, "track"]), json_values))
def test_a_signed_report_of_any_shape_raises_nothing(report: dict[str, Any]) -> None:
    body = json.dumps(report).encode()
    event = verify(body, signed(body), KEY, SECRET, AT)
    assert event.created_at.tzinfo is not None
