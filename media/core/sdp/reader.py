"""Text to session descriptions. Every line is checked; nothing from the text is trusted.

A line without the shape ``x=value``, a number out of its range or a second section with the same
mid raises ``RemoteProtocolError``. Unknown attributes are kept. Odd but harmless things that real
endpoints write are accepted: ``setup:holdconn``, format parameters for a payload type without
rtpmap, source attributes without a value, bare line feeds.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from media.core.errors import RemoteProtocolError
from media.core.sdp.model import (
    Direction,
    ExtMap,
    Fingerprint,
    Group,
    MediaSection,
    Msid,
    Origin,
    Rid,
    RtpMap,
    SessionDescription,
    SsrcGroup,
    TransportParameters,
)

MAX_DESCRIPTION_CHARS: Final = 256 * 1024
"""A browser with hundreds of subscriptions stays well below."""
MAX_SECTIONS: Final = 300

_FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){15,63}")
_DIRECTIONS: Final = {direction.value: direction for direction in Direction}
_SKIPPED_LINES: Final = frozenset("viuepktrz")
_MAX_UINT32: Final = 0xFFFFFFFF


def parse(text: str) -> SessionDescription:
    """Read a description. Raises RemoteProtocolError for anything that is not one."""
    if len(text) > MAX_DESCRIPTION_CHARS:
        raise RemoteProtocolError(f"session description of {len(text)} characters is too long")
    description = SessionDescription()
    section: MediaSection | None = None
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if lines[0] != "v=0":
        raise RemoteProtocolError("session description does not start with v=0")
    for line in lines:
        if not line:
            continue
        kind, value = _split_line(line)
        if kind == "m":
            section = _open_section(description, value)
        elif section is None:
            _read_session_line(description, kind, value)
        else:
            _read_section_line(section, kind, value)
    _check_mids(description)
    return description


def _split_line(line: str) -> tuple[str, str]:
    if len(line) < 2 or line[1] != "=" or (len(line) == 2 and line[0] != "s"):
        raise RemoteProtocolError(f"not a line of a session description: {line[:40]!r}")
    if "\r" in line or "\0" in line:
        raise RemoteProtocolError("control character inside a line")
    return line[0], line[2:]


def _open_section(description: SessionDescription, value: str) -> MediaSection:
    if len(description.media) == MAX_SECTIONS:
        raise RemoteProtocolError(f"more than {MAX_SECTIONS} media sections")
    kind, port, protocol, *formats = _words(value, at_least=3)
    section = MediaSection(
        kind=kind, port=_number(port.partition("/")[0], 0xFFFF), protocol=protocol
    )
    if "RTP" in protocol.split("/"):
        section.payload_types = [_number(name, 127) for name in formats]
        if len(set(section.payload_types)) != len(formats):
            raise RemoteProtocolError("payload type listed twice")
    else:
        section.formats = formats
    for name, argument in description.attributes:  # a direction of the session is the default
        if argument is None and name in _DIRECTIONS:
            section.direction = _DIRECTIONS[name]
    description.media.append(section)
    return section


def _read_session_line(description: SessionDescription, kind: str, value: str) -> None:
    if kind == "a":
        name, argument = _split_attribute(value)
        reader = _SESSION_READERS.get(name)
        if reader is not None:
            reader(description, argument)
        elif not _read_transport(description.transport, name, argument):
            description.attributes.append((name, argument))
    elif kind == "o":
        username, session_id, session_version, *network = _words(value, at_least=3)
        description.origin = Origin(username, session_id, session_version, " ".join(network))
    elif kind == "s":
        description.name = value
    elif kind not in _SKIPPED_LINES and kind not in "cb":
        raise RemoteProtocolError(f"unknown line type {kind!r}")


def _read_section_line(section: MediaSection, kind: str, value: str) -> None:
    if kind == "a":
        name, argument = _split_attribute(value)
        reader = _SECTION_READERS.get(name)
        if reader is not None:
            reader(section, argument)
        elif argument is None and name in _DIRECTIONS:
            section.direction = _DIRECTIONS[name]
        elif not _read_transport(section.transport, name, argument):
            section.attributes.append((name, argument))
    elif kind == "c":
        section.connection = value
    elif kind == "b":
        name, _, amount = value.partition(":")
        section.bandwidths[name] = _number(amount, 10**12)
    elif kind not in _SKIPPED_LINES:
        raise RemoteProtocolError(f"unknown line type {kind!r}")


def _read_transport(transport: TransportParameters, name: str, argument: str | None) -> bool:
    match name:
        case "ice-ufrag":
            transport.ice_ufrag = _bounded(_required(name, argument), 4, 256)
        case "ice-pwd":
            transport.ice_pwd = _bounded(_required(name, argument), 22, 256)
        case "ice-options":
            transport.ice_options = _words(_required(name, argument), at_least=1)
        case "fingerprint":
            transport.fingerprints.append(_fingerprint(_required(name, argument)))
        case "setup":
            transport.setup = _required(name, argument)
        case _:
            return False
    return True


def _fingerprint(argument: str) -> Fingerprint:
    algorithm, value = _words(argument, at_least=2)[:2]
    if not (algorithm.isascii() and _FINGERPRINT.fullmatch(value)):
        raise RemoteProtocolError("malformed fingerprint")
    return Fingerprint(algorithm.lower(), value.upper())


# Attributes of a section. Each reader takes the text after the colon, None without a colon.


def _read_rtpmap(section: MediaSection, argument: str | None) -> None:
    payload_type, mapping = _words(_required("rtpmap", argument), at_least=2)[:2]
    encoding, *numbers = mapping.split("/")
    if not encoding or len(numbers) not in (1, 2):
        raise RemoteProtocolError(f"malformed rtpmap {mapping[:40]!r}")
    clock_rate, *channels = numbers
    section.rtpmaps[_number(payload_type, 127)] = RtpMap(
        encoding, _number(clock_rate, _MAX_UINT32), _number(channels[0], 255) if channels else 1
    )


def _read_fmtp(section: MediaSection, argument: str | None) -> None:
    payload_type, _, parameters = _required("fmtp", argument).partition(" ")
    if section.payload_types and parameters.strip():
        section.fmtp[_number(payload_type, 127)] = parameters.strip()


def _read_rtcp_fb(section: MediaSection, argument: str | None) -> None:
    target, *message = _words(_required("rtcp-fb", argument), at_least=2)
    key = None if target == "*" else _number(target, 127)
    section.rtcp_fb.setdefault(key, []).append(" ".join(message))


def _read_extmap(section: MediaSection, argument: str | None) -> None:
    name, uri, *attributes = _words(_required("extmap", argument), at_least=2)
    number, slash, side = name.partition("/")
    if slash and side not in _DIRECTIONS:
        raise RemoteProtocolError(f"malformed extmap {name[:40]!r}")
    direction = _DIRECTIONS[side] if slash else None
    section.extmaps.append(ExtMap(_number(number, 4351), uri, direction, " ".join(attributes)))


def _read_ssrc(section: MediaSection, argument: str | None) -> None:
    number, _, attribute = _required("ssrc", argument).partition(" ")
    attributes = section.ssrcs.setdefault(_number(number, _MAX_UINT32), {})
    name, colon, value = attribute.strip().partition(":")
    if name:
        attributes[name] = value if colon else None


def _read_ssrc_group(section: MediaSection, argument: str | None) -> None:
    semantics, *ssrcs = _words(_required("ssrc-group", argument), at_least=1)
    numbers = tuple(_number(ssrc, _MAX_UINT32) for ssrc in ssrcs)
    section.ssrc_groups.append(SsrcGroup(semantics, numbers))


def _read_msid(section: MediaSection, argument: str | None) -> None:
    stream, *track = _words(_required("msid", argument), at_least=1)
    section.msids.append(Msid(stream, track[0] if track else ""))


def _read_rid(section: MediaSection, argument: str | None) -> None:
    name, direction, *restrictions = _words(_required("rid", argument), at_least=2)
    if direction not in {"send", "recv"}:
        raise RemoteProtocolError(f"rid neither send nor recv: {direction[:40]!r}")
    section.rids.append(Rid(name, direction, " ".join(restrictions)))


def _read_simulcast(section: MediaSection, argument: str | None) -> None:
    words = _words(_required("simulcast", argument), at_least=2)
    if len(words) % 2:
        raise RemoteProtocolError("malformed simulcast")
    for side, streams in zip(words[::2], words[1::2], strict=True):
        names = streams.split(";")
        if side not in {"send", "recv"} or not all(names):
            raise RemoteProtocolError("malformed simulcast")
        if side == "send":
            section.simulcast_send = names
        else:
            section.simulcast_recv = names


def _read_mid(section: MediaSection, argument: str | None) -> None:
    section.mid = _words(_required("mid", argument), at_least=1)[0]


def _read_rtcp(section: MediaSection, argument: str | None) -> None:
    section.rtcp = _required("rtcp", argument)


def _read_candidate(section: MediaSection, argument: str | None) -> None:
    section.candidates.append(_required("candidate", argument))


def _read_sctp_port(section: MediaSection, argument: str | None) -> None:
    section.sctp_port = _number(_required("sctp-port", argument).strip(), 0xFFFF)


def _read_max_message_size(section: MediaSection, argument: str | None) -> None:
    section.max_message_size = _number(_required("max-message-size", argument).strip(), 2**53)


def _read_flag(name: str) -> Callable[[MediaSection, str | None], None]:
    def read(section: MediaSection, argument: str | None) -> None:  # noqa: ARG001
        setattr(section, name, True)

    return read


_SECTION_READERS: Final[Mapping[str, Callable[[MediaSection, str | None], None]]] = {
    "rtpmap": _read_rtpmap,
    "fmtp": _read_fmtp,
    "rtcp-fb": _read_rtcp_fb,
    "extmap": _read_extmap,
    "extmap-allow-mixed": _read_flag("extmap_allow_mixed"),
    "ssrc": _read_ssrc,
    "ssrc-group": _read_ssrc_group,
    "msid": _read_msid,
    "rid": _read_rid,
    "simulcast": _read_simulcast,
    "mid": _read_mid,
    "rtcp": _read_rtcp,
    "rtcp-mux": _read_flag("rtcp_mux"),
    "rtcp-rsize": _read_flag("rtcp_rsize"),
    "bundle-only": _read_flag("bundle_only"),
    "candidate": _read_candidate,
    "end-of-candidates": _read_flag("end_of_candidates"),
    "sctp-port": _read_sctp_port,
    "max-message-size": _read_max_message_size,
}


def _read_group(description: SessionDescription, argument: str | None) -> None:
    semantics, *mids = _words(_required("group", argument), at_least=1)
    description.groups.append(Group(semantics, tuple(mids)))


def _read_ice_lite(description: SessionDescription, argument: str | None) -> None:  # noqa: ARG001
    description.ice_lite = True


def _read_allow_mixed(description: SessionDescription, argument: str | None) -> None:  # noqa: ARG001
    description.extmap_allow_mixed = True


_SESSION_READERS: Final[Mapping[str, Callable[[SessionDescription, str | None], None]]] = {
    "group": _read_group,
    "ice-lite": _read_ice_lite,
    "extmap-allow-mixed": _read_allow_mixed,
}


def _split_attribute(value: str) -> tuple[str, str | None]:
    name, colon, argument = value.partition(":")
    return name, argument if colon else None


def _words(text: str, *, at_least: int) -> list[str]:
    words = text.split()
    if len(words) < at_least:
        raise RemoteProtocolError(f"{at_least} words expected in {text[:40]!r}")
    return words


def _required(name: str, argument: str | None) -> str:
    if not argument:
        raise RemoteProtocolError(f"attribute {name} has no value")
    return argument


def _number(text: str, maximum: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) > maximum:
        raise RemoteProtocolError(f"not a number up to {maximum}: {text[:40]!r}")
    return int(text)


def _bounded(text: str, minimum: int, maximum: int) -> str:
    if not minimum <= len(text) <= maximum:
        raise RemoteProtocolError(f"length outside {minimum} to {maximum}")
    return text


def _check_mids(description: SessionDescription) -> None:
    mids = [section.mid for section in description.media if section.mid is not None]
    if len(set(mids)) != len(mids):
        raise RemoteProtocolError("two sections with the same mid")
