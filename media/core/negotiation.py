"""Offers and answers of the node (RFC 8829, LiveKit signalling protocol 17).

Decides payload types, header extensions, directions and identifiers of every section; the
text itself is the business of ``media.core.sdp``. The node forwards, so it never transcodes:
a section carries exactly one codec and its RTX, and what a subscriber's section carries is
decided by what the publisher sends.

Two rules are owed to libwebrtc. Every section, inactive ones too, negotiates every extension
the node knows: what one section refuses is missing from later offers, and a simulcast offer
without rid fails on the client's own side. And an inactive section keeps its codecs, so that
it can be put to use later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from media.core.codecs import (
    AV1,
    H264,
    OPUS,
    RED,
    VP8,
    VP9,
    Codec,
    format_parameters,
    offered_codecs,
)
from media.core.errors import RemoteProtocolError
from media.core.extensions import (
    ABSOLUTE_CAPTURE_TIME,
    ABSOLUTE_SEND_TIME,
    AUDIO_LEVEL,
    DEPENDENCY_DESCRIPTOR,
    MID,
    REPAIRED_RTP_STREAM_ID,
    RTP_STREAM_ID,
    TRANSPORT_WIDE_CC,
    VIDEO_ORIENTATION,
)
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

ACCEPTED_EXTENSIONS: Final[Mapping[str, frozenset[str]]] = {
    "audio": frozenset({MID, AUDIO_LEVEL, ABSOLUTE_CAPTURE_TIME, TRANSPORT_WIDE_CC}),
    "video": frozenset(
        {
            MID,
            RTP_STREAM_ID,
            REPAIRED_RTP_STREAM_ID,
            ABSOLUTE_SEND_TIME,
            ABSOLUTE_CAPTURE_TIME,
            VIDEO_ORIENTATION,
            TRANSPORT_WIDE_CC,
            DEPENDENCY_DESCRIPTOR,
        }
    ),
}
"""What the node agrees to, in whatever direction a section is used. libwebrtc leaves out of its
next offers what was once refused in a section of the same kind, placeholders included."""

OFFERED_EXTENSIONS: Final[Mapping[str, tuple[tuple[int, str], ...]]] = {
    "audio": ((1, MID), (2, AUDIO_LEVEL), (3, ABSOLUTE_CAPTURE_TIME), (7, TRANSPORT_WIDE_CC)),
    "video": (
        (1, MID),
        (3, ABSOLUTE_CAPTURE_TIME),
        (4, ABSOLUTE_SEND_TIME),
        (5, VIDEO_ORIENTATION),
        (6, DEPENDENCY_DESCRIPTOR),
        (7, TRANSPORT_WIDE_CC),
    ),
}
"""Ids of the node's own offers; one id means one extension in the whole bundle (RFC 8285 §5)."""

TRANSPORT_CC: Final = "transport-cc"
VIDEO_FEEDBACK: Final = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
AUDIO_FEEDBACK: Final = ("transport-cc", "nack")
OFFERED_FEEDBACK: Final[Mapping[str, tuple[str, ...]]] = {
    "audio": ("transport-cc", "nack"),
    "video": ("transport-cc", "goog-remb", "ccm fir", "nack", "nack pli"),
}

MAX_MESSAGE_BYTES: Final = 65536
SCTP_PORT: Final = 5000
DATA_PROTOCOL: Final = "UDP/DTLS/SCTP"


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """What every description of a connection says about our side."""

    ufrag: str
    password: str
    sha256: str
    """Fingerprint of the node's certificate, ``AA:BB:…``."""

    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """What a client's description says about its side."""

    ufrag: str
    fingerprints: tuple[tuple[str, str], ...]
    setup: str


@dataclass(slots=True)
class SendSlot:
    """A stream the node sends in a section."""

    track_sid: str
    stream_id: str
    """Stream part of the msid, ``PA_…|TR_…``."""

    kind: str
    codec: Codec
    ssrc: int
    rtx_ssrc: int
    cname: str
    extensions: dict[str, int] = field(default_factory=dict)
    """Negotiated header extensions by URI."""

    def keep_extensions(self, answered: MediaSection) -> None:
        """Leave out what the client's answer does not take."""
        taken = sending_extensions(answered, self.codec.payload_type)
        self.extensions = {uri: one for uri, one in self.extensions.items() if uri in taken}


@dataclass(slots=True)
class OwnSection:
    """One section of the node's own offers; ``slot`` is None while it is inactive."""

    mid: str
    kind: str
    slot: SendSlot | None = None
    was_sending: bool = False
    """Whether the last offer sent in it: a client sees a track end only when it is told so."""


@dataclass(frozen=True, slots=True)
class ReceivePlan:
    """How the node answers a section the client sends in."""

    codec: Codec
    has_dtx: bool = True
    is_stereo: bool = False


def remote_transport(description: SessionDescription) -> RemoteTransport:
    """Read ICE and DTLS parameters of the bundle. RemoteProtocolError when one is missing."""
    section = _transport_section(description)
    transport = description.transport_of(section)
    if not transport.ice_ufrag or not transport.fingerprints:
        raise RemoteProtocolError("no ice-ufrag or no fingerprint")
    return RemoteTransport(
        transport.ice_ufrag,
        tuple((one.algorithm, one.value) for one in transport.fingerprints),
        transport.setup or "actpass",
    )


def dtls_role(setup: str) -> Literal["server", "client"]:
    """Choose our DTLS role by the peer's ``a=setup`` (RFC 8842 §5.3)."""
    return "client" if setup == "passive" else "server"


def choose_codec(
    section: MediaSection, enabled: Sequence[str], preferred: str = ""
) -> Codec | None:
    """Choose what a client shall send in ``section``; None when nothing enabled is offered.

    ``preferred`` is the codec of the AddTrack request (``vp8``); otherwise the client's own
    order decides. H.264 is taken with packetization-mode 1 only, the mode all clients use.
    """
    usable = [
        codec
        for codec in offered_codecs(section)
        if codec.mime_type in enabled and (codec.mime_type != H264 or _is_usable_h264(codec))
    ]
    if RED not in enabled:
        usable = [replace(codec, red_payload_type=None) for codec in usable]
    wanted = f"{section.kind}/{preferred.lower().rpartition('/')[2]}"
    return next(
        (codec for codec in usable if codec.mime_type == wanted), usable[0] if usable else None
    )


def find_codec(section: MediaSection, published: Codec) -> Codec | None:
    """Find the codec of ``section`` that can play what the publisher sends.

    For H.264 the same profile is looked for first; any packetization-mode 1 entry after that,
    since decoders accept a lower profile than they announce.
    """
    same = [
        replace(codec, red_payload_type=None)
        for codec in offered_codecs(section)
        if (codec.mime_type, codec.profile) == (published.mime_type, published.profile)
    ]
    if published.mime_type != H264:
        return same[0] if same else None
    usable = [codec for codec in same if _is_usable_h264(codec)]
    profile = _h264_profile(published)
    exact = [codec for codec in usable if _h264_profile(codec) == profile]
    return next(iter(exact or usable), None)


def own_codec(published: Codec) -> Codec:
    """Payload types of the node's own offers for what the publisher sends."""
    payload_type, rtx = {
        OPUS: (111, None),
        VP8: (96, 97),
        H264: (102, 103),
        VP9: (98, 99),
        AV1: (104, 105),
    }[published.mime_type]
    return Codec(
        mime_type=published.mime_type,
        payload_type=payload_type,
        rtx_payload_type=rtx,
        clock_rate=published.clock_rate,
        channels=published.channels,
        fmtp=_subscriber_fmtp(published),
    )


def extensions_of(section: MediaSection) -> dict[str, int]:
    """List the header extensions of an offered section the node agrees to, URI to id."""
    accepted = ACCEPTED_EXTENSIONS.get(section.kind, frozenset())
    return {uri: number for uri, number in section.extension_ids().items() if uri in accepted}


def forwarded_extensions(section: MediaSection, codec: Codec) -> dict[str, int]:
    """Header extensions of a publisher's section that mean something to subscribers.

    Dependency descriptors number the frames of one stream. Codecs sent in layers of which the node
    chooses would need them rewritten, so they are passed on for codecs sent as one stream only.
    """
    extensions = extensions_of(section)
    if codec.mime_type not in {VP9, AV1}:
        extensions.pop(DEPENDENCY_DESCRIPTOR, None)
    return extensions


def sending_extensions(section: MediaSection, payload_type: int) -> dict[str, int]:
    """List the header extensions to send in a client's section, URI to id.

    Packets are numbered only if the client will say when each number arrived.
    """
    ids = extensions_of(section)
    if TRANSPORT_CC not in section.feedback_for(payload_type):
        ids.pop(TRANSPORT_WIDE_CC, None)
    return ids


def write_answer(
    offer: SessionDescription,
    local: LocalTransport,
    receive: Mapping[str, ReceivePlan],
    send: Mapping[str, SendSlot],
    *,
    version: int,
) -> SessionDescription:
    """Answer ``offer``: receive what ``receive`` says by mid, send what ``send`` says."""
    remote_setup = remote_transport(offer).setup
    setup = "active" if remote_setup == "passive" else "passive"
    media = [_answer_section(section, local, receive, send, setup) for section in offer.media]
    return _description(media, local, version)


def write_offer(
    sections: Iterable[OwnSection], local: LocalTransport, *, version: int, data_mid: str
) -> SessionDescription:
    """Write the node's own offer; the data section comes first and is always there."""
    media = [_data_section(data_mid, local, "actpass")]
    media += [_offer_section(section, local) for section in sections]
    return _description(media, local, version)


def mid_to_track_id(send: Mapping[str, SendSlot]) -> dict[str, str]:
    """Name the track of each section the node sends in."""
    return {mid: slot.track_sid for mid, slot in send.items()}


def free_receive_mids(offer: SessionDescription, kind: str, used: Iterable[str]) -> list[str]:
    """List sections of ``kind`` in which a client only receives and that carry nothing yet."""
    taken = set(used)
    return [
        section.mid
        for section in offer.media
        if section.kind == kind
        and section.mid is not None
        and section.mid not in taken
        and not section.is_rejected
        and section.direction is Direction.RECVONLY
    ]


def _transport_section(description: SessionDescription) -> MediaSection:
    usable = [section for section in description.media if not section.is_rejected]
    if not usable:
        raise RemoteProtocolError("no usable section")
    bundled = description.bundled_mids()
    return next((section for section in usable if bundled[:1] == (section.mid,)), usable[0])


def _description(
    media: list[MediaSection], local: LocalTransport, version: int
) -> SessionDescription:
    live = [section for section in media if section.port != 0]
    if live:
        live[0].candidates = list(local.candidates)
        live[0].end_of_candidates = True
    mids = tuple(section.mid for section in live if section.mid is not None)
    return SessionDescription(
        origin=Origin(session_id="1", session_version=str(version)),
        groups=[Group("BUNDLE", mids)],
        ice_lite=True,
        extmap_allow_mixed=True,
        attributes=[("msid-semantic", " WMS *")],
        media=media,
    )


def _transport_parameters(local: LocalTransport, setup: str) -> TransportParameters:
    return TransportParameters(
        ice_ufrag=local.ufrag,
        ice_pwd=local.password,
        fingerprints=[Fingerprint("sha-256", local.sha256)],
        setup=setup,
    )


def _answer_section(
    offered: MediaSection,
    local: LocalTransport,
    receive: Mapping[str, ReceivePlan],
    send: Mapping[str, SendSlot],
    setup: str,
) -> MediaSection:
    mid = offered.mid
    if offered.is_rejected or mid is None:
        return _rejected(offered)
    if offered.is_data:
        return _data_section(mid, local, setup)
    plan = receive.get(mid) if offered.direction.sends else None
    slot = send.get(mid) if offered.direction.receives else None
    codecs = [plan.codec] if plan else []
    if slot and slot.codec.payload_type not in {codec.payload_type for codec in codecs}:
        codecs.append(slot.codec)
    if not codecs:
        codecs = _placeholder_codecs(offered)
    if offered.kind not in ACCEPTED_EXTENSIONS or not codecs:
        return _rejected(offered)
    answer = MediaSection(
        kind=offered.kind,
        protocol=offered.protocol,
        mid=mid,
        direction=_direction(receives=plan is not None, sends=slot is not None),
        transport=_transport_parameters(local, setup),
        rtcp="9 IN IP4 0.0.0.0",
        rtcp_mux=True,
        rtcp_rsize=offered.rtcp_rsize,
        extmaps=[ExtMap(number, uri) for uri, number in extensions_of(offered).items()],
    )
    for codec in codecs:
        _add_codec(answer, codec, _fmtp(codec, plan), _agreed_feedback(offered, codec))
    if plan is not None and offered.simulcast_send:
        answer.rids = [Rid(rid.id, "recv") for rid in offered.rids if rid.direction == "send"]
        answer.simulcast_recv = list(offered.simulcast_send)
    if slot is not None:
        _add_sources(answer, slot)
    return answer


def _offer_section(section: OwnSection, local: LocalTransport) -> MediaSection:
    slot = section.slot
    media = MediaSection(
        kind=section.kind,
        mid=section.mid,
        direction=_direction(receives=False, sends=slot is not None),
        transport=_transport_parameters(local, "actpass"),
        rtcp="9 IN IP4 0.0.0.0",
        rtcp_mux=True,
        rtcp_rsize=True,
        extmaps=[ExtMap(number, uri) for number, uri in OFFERED_EXTENSIONS[section.kind]],
    )
    mime = OPUS if section.kind == "audio" else VP8
    clock, channels = (48000, 2) if section.kind == "audio" else (90000, 1)
    codec = slot.codec if slot else own_codec(Codec(mime, 0, clock, channels))
    _add_codec(media, codec, codec.fmtp, OFFERED_FEEDBACK[section.kind])
    if slot is not None:
        _add_sources(media, slot)
    return media


def _data_section(mid: str, local: LocalTransport, setup: str) -> MediaSection:
    return MediaSection(
        kind="application",
        protocol=DATA_PROTOCOL,
        formats=["webrtc-datachannel"],
        mid=mid,
        transport=_transport_parameters(local, setup),
        sctp_port=SCTP_PORT,
        max_message_size=MAX_MESSAGE_BYTES,
    )


def _rejected(offered: MediaSection) -> MediaSection:
    return MediaSection(
        kind=offered.kind,
        port=0,
        protocol=offered.protocol,
        formats=list(offered.formats),
        payload_types=list(offered.payload_types),
        mid=offered.mid,
        direction=Direction.INACTIVE,
    )


def _placeholder_codecs(offered: MediaSection) -> list[Codec]:
    chosen = choose_codec(offered, (OPUS, VP8, H264, VP9, AV1))
    return [chosen] if chosen else []


def _agreed_feedback(offered: MediaSection, codec: Codec) -> list[str]:
    """What both sides do; and NACK for sound, which browsers do but do not offer.

    libwebrtc goes by the answer: it asks for lost sound, and keeps what it sends to repeat it. Who
    keeps to RFC 4585 §4.2 ignores a line it has not offered.
    """
    offers = offered.feedback_for(codec.payload_type)
    if offered.kind == "audio":
        return [message for message in (*offers, "nack") if message in AUDIO_FEEDBACK]
    return [message for message in offers if message in VIDEO_FEEDBACK]


def _direction(*, receives: bool, sends: bool) -> Direction:
    if receives and sends:
        return Direction.SENDRECV
    if receives:
        return Direction.RECVONLY
    return Direction.SENDONLY if sends else Direction.INACTIVE


def _add_codec(section: MediaSection, codec: Codec, fmtp: str, feedback: Sequence[str]) -> None:
    name = codec.mime_type.partition("/")[2]
    encoding = "opus" if name == "opus" else name.upper()
    if codec.red_payload_type is not None:  # listed first: the client is to prefer it
        section.payload_types.append(codec.red_payload_type)
        section.rtpmaps[codec.red_payload_type] = RtpMap("red", codec.clock_rate, codec.channels)
        section.fmtp[codec.red_payload_type] = f"{codec.payload_type}/{codec.payload_type}"
    section.payload_types.append(codec.payload_type)
    section.rtpmaps[codec.payload_type] = RtpMap(encoding, codec.clock_rate, codec.channels)
    if fmtp:
        section.fmtp[codec.payload_type] = fmtp
    if feedback:
        section.rtcp_fb[codec.payload_type] = list(dict.fromkeys(feedback))
    if codec.rtx_payload_type is not None:
        section.payload_types.append(codec.rtx_payload_type)
        section.rtpmaps[codec.rtx_payload_type] = RtpMap("rtx", codec.clock_rate)
        section.fmtp[codec.rtx_payload_type] = f"apt={codec.payload_type}"


def _add_sources(section: MediaSection, slot: SendSlot) -> None:
    section.msids = [Msid(slot.stream_id, slot.track_sid)]
    section.ssrcs[slot.ssrc] = {"cname": slot.cname}
    if slot.codec.rtx_payload_type is not None:
        section.ssrcs[slot.rtx_ssrc] = {"cname": slot.cname}
        section.ssrc_groups = [SsrcGroup("FID", (slot.ssrc, slot.rtx_ssrc))]


def _fmtp(codec: Codec, plan: ReceivePlan | None) -> str:
    if codec.mime_type != OPUS or plan is None:
        return codec.fmtp
    parameters = format_parameters(codec.fmtp)
    parameters.pop("usedtx", None)
    if plan.has_dtx:
        parameters["usedtx"] = "1"
    if plan.is_stereo:
        parameters["stereo"] = "1"
        parameters["maxaveragebitrate"] = "510000"
    return ";".join(f"{name}={value}" if value else name for name, value in parameters.items())


def _subscriber_fmtp(published: Codec) -> str:
    if published.mime_type == OPUS:
        return "minptime=10;useinbandfec=1"
    if published.mime_type == H264:
        profile = format_parameters(published.fmtp).get("profile-level-id", "42e01f")
        return f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}"
    if published.mime_type in {VP9, AV1}:
        return published.fmtp
    return ""


def _is_usable_h264(codec: Codec) -> bool:
    return format_parameters(codec.fmtp).get("packetization-mode", "0") == "1"


def _h264_profile(codec: Codec) -> str:
    # profile_idc and constraint flags; the level is asymmetric in WebRTC (RFC 6184 §8.1).
    return format_parameters(codec.fmtp).get("profile-level-id", "42e01f").lower()[:4]
