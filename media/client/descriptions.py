"""Offers and answers of a client (RFC 8829), and what the server's say it will send.

A subscriber mirrors the server's offer: whatever codec it names is accepted, for nothing is
decoded. A publisher offers a data section and one section for each track it sends; in single
connection mode (signalling v1) sections to receive in are offered besides. Transport-wide
feedback is refused: a sender that is promised it and does not get it stops.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from media.client.local import EXTENSIONS, LocalTrack
from media.client.tracks import InboundSection
from media.core.codecs import Codec, offered_codecs
from media.core.errors import RemoteProtocolError
from media.core.sdp import (
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

SCTP_PORT: Final = 5000
MAX_MESSAGE_BYTES: Final = 65536
DATA_MID: Final = "data"

CODECS: Final[Mapping[str, Codec]] = {
    "audio/opus": Codec("audio/opus", 111, 48_000, 2, None, "minptime=10;useinbandfec=1"),
    "video/vp8": Codec("video/vp8", 96, 90_000, 1, 97),
    "video/vp9": Codec("video/vp9", 98, 90_000, 1, 99, "profile-id=0"),
    "video/h264": Codec(
        "video/h264",
        102,
        90_000,
        1,
        103,
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    ),
}
"""What this client can publish, by MIME type."""

RECEIVED: Final[Mapping[str, tuple[Codec, ...]]] = {
    "audio": (CODECS["audio/opus"],),
    "video": (
        CODECS["video/vp8"],
        CODECS["video/h264"],
        CODECS["video/vp9"],
        *(
            Codec(
                "video/h264",
                payload_type,
                90_000,
                1,
                payload_type + 1,
                f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}",
            )
            for payload_type, profile in ((104, "42001f"), (106, "4d001f"), (108, "64001f"))
        ),
    ),
}
"""What our own receiving sections offer."""

_FEEDBACK: Final = {"audio": [], "video": ["goog-remb", "ccm fir", "nack", "nack pli"]}
_ACCEPTED_FEEDBACK: Final = frozenset({"goog-remb", "ccm fir", "nack", "nack pli"})
_REFUSED_EXTENSIONS: Final = ("transport-wide-cc", "transport-wide-cc-02")


@dataclass(frozen=True, slots=True)
class LocalSide:
    """What our descriptions say about this end of the connection."""

    ufrag: str
    password: str
    sha256: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteSide:
    """What the server's description says about its end."""

    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]
    setup: str
    is_lite: bool
    candidates: tuple[str, ...]
    has_data: bool


def remote_side(description: SessionDescription) -> RemoteSide:
    """Transport of the bundle. Raises RemoteProtocolError when a parameter is missing."""
    sections = [section for section in description.media if section.port or section.bundle_only]
    if not sections:
        raise RemoteProtocolError("no usable section")
    bundled = description.bundled_mids()
    first = next((s for s in sections if bundled[:1] == (s.mid,)), sections[0])
    transport = description.transport_of(first)
    if not (transport.ice_ufrag and transport.ice_pwd and transport.fingerprints):
        raise RemoteProtocolError("no ICE credentials or no fingerprint")
    return RemoteSide(
        ufrag=transport.ice_ufrag,
        password=transport.ice_pwd,
        fingerprints=tuple((one.algorithm, one.value) for one in transport.fingerprints),
        setup=transport.setup or "actpass",
        is_lite=description.ice_lite,
        candidates=tuple(text for section in sections for text in section.candidates),
        has_data=any(section.is_data for section in sections),
    )


def inbound_sections(
    description: SessionDescription, mid_to_track_id: Mapping[str, str]
) -> list[InboundSection]:
    """Streams the server sends according to its description, with the track each one carries."""
    found = []
    for section in description.media:
        if section.is_rejected or section.is_data or not section.direction.sends:
            continue
        mid = section.mid or ""
        track_sid = mid_to_track_id.get(mid) or _track_of_msid(section)
        codecs = {codec.payload_type: codec for codec in offered_codecs(section)}
        if not track_sid or not codecs:
            continue
        ssrc, rtx_ssrc = _ssrcs(section)
        found.append(
            InboundSection(
                mid, section.kind, track_sid, codecs, ssrc, rtx_ssrc, section.extension_ids()
            )
        )
    return found


def answer(offer: SessionDescription, local: LocalSide, version: int) -> SessionDescription:
    """Accept everything the server offers to send."""
    setup = "passive" if remote_side(offer).setup == "active" else "active"
    return _description(
        [_answer_section(section, local, setup) for section in offer.media], local, version
    )


def offer(
    tracks: Iterable[tuple[str, str, LocalTrack | None]], local: LocalSide, version: int
) -> SessionDescription:
    """Offer sections ``(mid, kind, track)``; a section without track receives or is inactive."""
    media = [_data_section(DATA_MID, local, "actpass")]
    media += [_offer_section(mid, kind, track, local) for mid, kind, track in tracks]
    return _description(media, local, version)


def host_candidate(address: str, port: int, index: int) -> str:
    """Value of ``a=candidate`` for a host candidate; a lower index is preferred."""
    priority = 126 << 24 | (65535 - index) << 8 | 255
    return f"{index + 1} 1 udp {priority} {address} {port} typ host"


def _track_of_msid(section: MediaSection) -> str:
    """The track sid in ``a=msid:PA_x|TR_y TR_y``; LiveKit's clients look in the same places."""
    for msid in section.msids:
        for text in (msid.track, msid.stream.rpartition("|")[2]):
            if text.startswith("TR"):
                return text
    return ""


def _ssrcs(section: MediaSection) -> tuple[int | None, int | None]:
    repairs = {
        group.ssrcs[1] for group in section.ssrc_groups if group.semantics == "FID" and
        len(group.ssrcs) == 2
    }  # fmt: skip
    media = [ssrc for ssrc in section.ssrcs if ssrc not in repairs]
    if not media:
        return None, None
    return media[0], section.rtx_ssrc_of(media[0])


def _answer_section(offered: MediaSection, local: LocalSide, setup: str) -> MediaSection:
    mid = offered.mid or ""
    if offered.is_data:
        return _data_section(mid, local, setup)
    if offered.is_rejected or not offered.payload_types:
        return MediaSection(
            kind=offered.kind,
            port=0,
            protocol=offered.protocol,
            formats=list(offered.formats),
            payload_types=list(offered.payload_types),
            mid=offered.mid,
            direction=Direction.INACTIVE,
        )
    receives = offered.direction.sends
    return MediaSection(
        kind=offered.kind,
        protocol=offered.protocol,
        payload_types=list(offered.payload_types),
        mid=mid,
        direction=Direction.RECVONLY if receives else Direction.INACTIVE,
        transport=_transport(local, setup),
        rtpmaps=dict(offered.rtpmaps),
        fmtp=dict(offered.fmtp),
        rtcp_fb={
            payload_type: [message for message in messages if message in _ACCEPTED_FEEDBACK]
            for payload_type, messages in offered.rtcp_fb.items()
        },
        extmaps=[
            ExtMap(one.id, one.uri)
            for one in offered.extmaps
            if not any(name in one.uri for name in _REFUSED_EXTENSIONS)
        ],
        rtcp="9 IN IP4 0.0.0.0",
        rtcp_mux=True,
        rtcp_rsize=offered.rtcp_rsize,
    )


def _offer_section(mid: str, kind: str, track: LocalTrack | None, local: LocalSide) -> MediaSection:
    section = MediaSection(
        kind=kind,
        mid=mid,
        direction=Direction.SENDONLY if track is not None else Direction.RECVONLY,
        transport=_transport(local, "actpass"),
        extmaps=[ExtMap(number, uri) for uri, number in EXTENSIONS[kind].items()],
        rtcp="9 IN IP4 0.0.0.0",
        rtcp_mux=True,
        rtcp_rsize=True,
    )
    for codec in (track.codec,) if track is not None else RECEIVED[kind]:
        _add_codec(section, codec)
    if track is None:
        return section
    if not track.is_published:
        section.direction = Direction.INACTIVE
        return section
    section.msids = [Msid(track.cid, track.cid)]
    if track.rid is not None:
        rids = [layer.rid for layer in track.layers if layer.rid is not None]
        section.rids = [Rid(rid, "send") for rid in rids]
        section.simulcast_send = rids
        return section
    section.ssrcs[track.ssrc] = {"cname": track.cid}
    if track.codec.rtx_payload_type is not None:
        section.ssrcs[track.rtx_ssrc] = {"cname": track.cid}
        section.ssrc_groups = [SsrcGroup("FID", (track.ssrc, track.rtx_ssrc))]
    return section


def _add_codec(section: MediaSection, codec: Codec) -> None:
    name = codec.mime_type.partition("/")[2]
    payload_type, rtx = codec.payload_type, codec.rtx_payload_type
    section.payload_types.append(payload_type)
    section.rtpmaps[payload_type] = RtpMap(
        name if name == "opus" else name.upper(), codec.clock_rate, codec.channels
    )
    if codec.fmtp:
        section.fmtp[payload_type] = codec.fmtp
    if _FEEDBACK[section.kind]:
        section.rtcp_fb[payload_type] = list(_FEEDBACK[section.kind])
    if rtx is not None:
        section.payload_types.append(rtx)
        section.rtpmaps[rtx] = RtpMap("rtx", codec.clock_rate)
        section.fmtp[rtx] = f"apt={payload_type}"


def _data_section(mid: str, local: LocalSide, setup: str) -> MediaSection:
    return MediaSection(
        kind="application",
        protocol="UDP/DTLS/SCTP",
        formats=["webrtc-datachannel"],
        mid=mid,
        transport=_transport(local, setup),
        sctp_port=SCTP_PORT,
        max_message_size=MAX_MESSAGE_BYTES,
    )


def _transport(local: LocalSide, setup: str) -> TransportParameters:
    return TransportParameters(
        ice_ufrag=local.ufrag,
        ice_pwd=local.password,
        fingerprints=[Fingerprint("sha-256", local.sha256)],
        setup=setup,
    )


def _description(media: list[MediaSection], local: LocalSide, version: int) -> SessionDescription:
    live = [section for section in media if section.port]
    if live:
        live[0].candidates = list(local.candidates)
        live[0].end_of_candidates = True
    return SessionDescription(
        origin=Origin(session_id="1", session_version=str(version)),
        groups=[Group("BUNDLE", tuple(section.mid or "" for section in live))],
        extmap_allow_mixed=True,
        attributes=[("msid-semantic", " WMS *")],
        media=media,
    )
