"""No row of the protocol's tables is forgotten when the protocol package grows."""

from pathlib import Path

import pytest
from livekit.protocol import rtc

HERE = Path(__file__).parent
ELSEWHERE = {
    "stream_state_update": "needs a poor line: tests of the node's lines",
    "room_moved": "only LiveKit Cloud moves participants",
    "subscribed_audio_codec_update": "there is one audio codec",
    "store_data_blob_response": "answer to an optional request",
    "get_data_blob_response": "answer to an optional request",
}


def rows(message: type[rtc.SignalRequest | rtc.SignalResponse]) -> list[str]:
    (oneof,) = message.DESCRIPTOR.oneofs
    return [field.name for field in oneof.fields]


@pytest.mark.parametrize("row", rows(rtc.SignalRequest))
def test_every_request_has_a_test(row: str) -> None:
    assert row in (HERE / "test_signal_requests.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", rows(rtc.SignalResponse))
def test_every_response_has_a_test_or_a_reason(row: str) -> None:
    texts = [(HERE / f"test_signal_{name}.py").read_text("utf-8") for name in
             ("requests", "responses")]  # fmt: skip
    assert any(row in text for text in texts) != (row in ELSEWHERE)
