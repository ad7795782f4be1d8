"""media.transport: the parts that need no socket, and what it relies on in aiortc."""

import inspect

import pytest
from aioice import stun
from aiortc import rtcdtlstransport, rtcsctptransport
from aiortc.rtcdtlstransport import RTCDtlsTransport

from media.transport.dtls import DatagramPipe, DtlsSession, new_certificate
from media.transport.ice import Credentials, answer, read_check


def check_bytes(password: str, **attributes: object) -> bytes:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs", "PRIORITY": 1, "ICE-CONTROLLING": 7, **attributes},
    )
    message.add_message_integrity(password.encode())
    return bytes(message)


def test_a_check_is_authentic_with_the_right_password_only() -> None:
    check = read_check(check_bytes("secret", **{"USE-CANDIDATE": None}))
    assert check is not None
    assert check.ufrag == "ours"
    assert check.nominates
    assert check.is_authentic("secret")
    assert not check.is_authentic("other")


def test_a_check_without_integrity_is_not_authentic() -> None:
    bare = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "ours:x"})
    check = read_check(bytes(bare))
    assert check is not None
    assert not check.is_authentic("")


def test_the_answer_names_the_source_and_is_no_longer_than_the_check() -> None:
    data = check_bytes("secret")
    check = read_check(data)
    assert check is not None
    reply = answer(check, ("192.0.2.7", 4711), "secret")
    parsed = stun.parse_message(reply)
    assert parsed.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.7", 4711)
    assert parsed.check_message_integrity(b"secret")
    assert len(reply) <= len(data)


def test_a_peer_that_wants_to_be_controlled_is_told_of_the_conflict() -> None:
    message = stun.Message(
        stun.Method.BINDING,
        stun.Class.REQUEST,
        attributes={"USERNAME": "ours:x", "ICE-CONTROLLED": 7},
    )
    message.add_message_integrity(b"secret")
    check = read_check(bytes(message))
    assert check is not None
    reply = stun.parse_message(answer(check, ("192.0.2.7", 1), "secret"))
    assert reply.attributes["ERROR-CODE"][0] == 487


def test_credentials_are_fresh_and_in_ice_characters() -> None:
    drawn = {Credentials.draw() for _ in range(100)}
    assert len(drawn) == 100
    assert all(char.isalnum() or char in "+/" for one in drawn for char in one.ufrag + one.password)
    assert all(len(one.ufrag) >= 4 and len(one.password) >= 22 for one in drawn)


def test_aiortc_still_has_the_private_names_in_use() -> None:
    for name in ("_set_role", "_send_data"):
        assert callable(getattr(RTCDtlsTransport, name))
    for name in ("_handle_data", "_send_chunk"):
        assert inspect.iscoroutinefunction(getattr(rtcsctptransport.RTCSctpTransport, name))
    session = DtlsSession(new_certificate(), "server", lambda _: None, lambda: None)
    for name in ("_rx_srtp", "_tx_srtp", "_srtp_profiles"):
        assert hasattr(session._dtls, name)
    source = inspect.getsource(rtcsctptransport.RTCSctpTransport.__init__)
    assert "self._advertised_rwnd" in source
    assert "self._data_channels" in source
    assert rtcdtlstransport.SRTP_AEAD_AES_128_GCM.key_length == 16


async def test_a_closed_pipe_ends_its_reader_and_a_full_one_loses_datagrams() -> None:
    pipe = DatagramPipe(lambda _: None)
    for number in range(600):
        pipe.feed(bytes([number % 256]))
    assert pipe.dropped == 88
    assert await pipe._recv() == b"\0"
    pipe.close()
    pipe.feed(b"late")
    for _ in range(511):
        await pipe._recv()
    with pytest.raises(ConnectionError):
        await pipe._recv()
