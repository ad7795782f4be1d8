"""No request body, whatever its bytes, is answered with anything but a Twirp code."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.protocol import room as api

from media.api.twirp import TwirpError, read_binary, read_json, write_json

REQUESTS: list[type[Message]] = [
    api.CreateRoomRequest,
    api.ListRoomsRequest,
    api.DeleteRoomRequest,
    api.ListParticipantsRequest,
    api.RoomParticipantIdentity,
    api.MuteRoomTrackRequest,
    api.UpdateParticipantRequest,
    api.UpdateSubscriptionsRequest,
    api.SendDataRequest,
    api.UpdateRoomMetadataRequest,
    api.PerformRpcRequest,
]
NAMES = sorted({field.name for kind in REQUESTS for field in kind.DESCRIPTOR.fields})
JSON_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON_VALUES = (
    JSON_LEAVES
    | st.lists(JSON_LEAVES, max_size=2)
    | st.dictionaries(st.sampled_from(NAMES), JSON_LEAVES, max_size=3)
)


def outcome(read: Callable[[bytes, Message], None], body: bytes, message: Message) -> str:
    try:
        read(body, message)
    except TwirpError as error:
        return error.code
    return "read"


@given(kind=st.sampled_from(REQUESTS), body=st.binary(max_size=300))
def test_any_bytes_give_a_request_or_malformed(kind: type[Message], body: bytes) -> None:
    assert outcome(read_binary, body, kind()) in ("read", "malformed")
    assert outcome(read_json, body, kind()) in ("read", "malformed")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(REQUESTS),
    values=st.dictionaries(st.sampled_from(NAMES), JSON_VALUES, max_size=5),
)
def test_any_json_gives_a_request_or_malformed(kind: type[Message], values: dict[str, Any]) -> None:
    assert outcome(read_json, json.dumps(values).encode(), kind()) in ("read", "malformed")


@pytest.mark.parametrize("depth", [50, 5000, 200_000])
def test_deep_nesting_is_malformed_not_a_crash(depth: int) -> None:
    with pytest.raises(TwirpError):
        read_json(b'{"permission":' + b'{"a":' * depth, api.UpdateParticipantRequest())


@given(name=st.text(max_size=50), size=st.integers(0, 2**32 - 1))
def test_json_reads_back_what_it_wrote(name: str, size: int) -> None:
    request = api.CreateRoomRequest(name=name, max_participants=size)
    again = api.CreateRoomRequest()
    read_json(write_json(request).encode(), again)
    assert again == request


def test_json_is_read_in_either_spelling_and_written_with_defaults() -> None:
    request = api.CreateRoomRequest()
    read_json(b'{"name": "a", "emptyTimeout": 5, "max_participants": 7, "new": 1}', request)
    assert (request.empty_timeout, request.max_participants) == (5, 7)
    written = json.loads(write_json(request))
    assert written["empty_timeout"] == 5
    assert written["metadata"] == ""
