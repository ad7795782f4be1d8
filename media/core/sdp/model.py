"""What a session description says, as plain values.

Values stay near the text: ``fmtp`` and candidates are raw strings. Objects are mutable, because
an answer is made by filling one in.
"""

from dataclasses import dataclass, field
from enum import Enum


class Direction(Enum):
    """Who may send in a section, seen from the describing side (RFC 3264 §5.1)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the describing side may send."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the describing side is willing to receive."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @property
    def reverse(self) -> "Direction":
        """The same agreement seen from the other side."""
        return _REVERSED[self]


_REVERSED = {
    Direction.SENDRECV: Direction.SENDRECV,
    Direction.SENDONLY: Direction.RECVONLY,
    Direction.RECVONLY: Direction.SENDONLY,
    Direction.INACTIVE: Direction.INACTIVE,
}


@dataclass(slots=True, frozen=True)
class RtpMap:
    """What a payload type means: ``a=rtpmap`` (RFC 8866 §6.6)."""

    encoding: str
    clock_rate: int
    channels: int = 1


@dataclass(slots=True, frozen=True)
class ExtMap:
    """A negotiated RTP header extension: ``a=extmap`` (RFC 8285 §5)."""

    id: int
    uri: str
    direction: Direction | None = None
    attributes: str = ""


@dataclass(slots=True, frozen=True)
class SsrcGroup:
    """SSRCs that belong together, e.g. ``FID`` or ``SIM`` (RFC 5576 §4.2)."""

    semantics: str
    ssrcs: tuple[int, ...]


@dataclass(slots=True, frozen=True)
class Msid:
    """MediaStream and track identifiers: ``a=msid`` (RFC 8830). ``track`` may be empty."""

    stream: str
    track: str = ""


@dataclass(slots=True, frozen=True)
class Rid:
    """One restriction identifier: ``a=rid`` (RFC 8851). ``direction`` is ``send`` or ``recv``."""

    id: str
    direction: str
    restrictions: str = ""


@dataclass(slots=True, frozen=True)
class Fingerprint:
    """Hash of a DTLS certificate: ``a=fingerprint`` (RFC 8122 §5); value as ``AA:BB:…``."""

    algorithm: str
    value: str


@dataclass(slots=True, frozen=True)
class Group:
    """Sections that belong together: ``a=group`` (RFC 5888), usually ``BUNDLE``."""

    semantics: str
    mids: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Origin:
    """Who wrote the description, and which version of it: ``o=`` (RFC 8866 §5.2)."""

    username: str = "-"
    session_id: str = "0"
    session_version: str = "0"
    network: str = "IN IP4 0.0.0.0"


@dataclass(slots=True)
class TransportParameters:
    """ICE and DTLS attributes; allowed on the session and on every section."""

    ice_ufrag: str | None = None
    ice_pwd: str | None = None
    ice_options: list[str] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)
    setup: str | None = None
    """``actpass``, ``active``, ``passive`` or ``holdconn`` (RFC 4145 §4)."""


@dataclass(slots=True)
class MediaSection:
    """One ``m=`` section."""

    kind: str
    """``audio``, ``video`` or ``application``."""
    port: int = 9
    protocol: str = "UDP/TLS/RTP/SAVPF"
    formats: list[str] = field(default_factory=list)
    """Formats of a section that is not RTP: ``webrtc-datachannel``."""
    payload_types: list[int] = field(default_factory=list)
    """In order of preference; empty when ``formats`` is used."""
    mid: str | None = None
    direction: Direction = Direction.SENDRECV
    transport: TransportParameters = field(default_factory=TransportParameters)
    connection: str = "IN IP4 0.0.0.0"
    bandwidths: dict[str, int] = field(default_factory=dict)
    """``b=`` lines by type, as written: ``AS`` in kb/s, ``TIAS`` in b/s."""
    rtpmaps: dict[int, RtpMap] = field(default_factory=dict)
    fmtp: dict[int, str] = field(default_factory=dict)
    """Raw format parameters by payload type; see ``codecs.format_parameters``."""
    rtcp_fb: dict[int | None, list[str]] = field(default_factory=dict)
    """Feedback (``nack``, ``nack pli``, ``ccm fir``…) by payload type; None stands for ``*``."""
    extmaps: list[ExtMap] = field(default_factory=list)
    extmap_allow_mixed: bool = False
    msids: list[Msid] = field(default_factory=list)
    ssrcs: dict[int, dict[str, str | None]] = field(default_factory=dict)
    """Source attributes by SSRC; None for one without value."""
    ssrc_groups: list[SsrcGroup] = field(default_factory=list)
    rids: list[Rid] = field(default_factory=list)
    simulcast_send: list[str] = field(default_factory=list)
    """Streams in the order written; each may name alternatives (``a,b``) or be paused (``~a``)."""
    simulcast_recv: list[str] = field(default_factory=list)
    rtcp: str | None = None
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    bundle_only: bool = False
    candidates: list[str] = field(default_factory=list)
    """Values of ``a=candidate``, raw."""
    end_of_candidates: bool = False
    sctp_port: int | None = None
    max_message_size: int | None = None
    attributes: list[tuple[str, str | None]] = field(default_factory=list)
    """Every other attribute, in order."""

    @property
    def is_rejected(self) -> bool:
        """Port 0 without ``bundle-only``: the section is not in use (RFC 3264 §6, RFC 9143)."""
        return self.port == 0 and not self.bundle_only

    @property
    def is_data(self) -> bool:
        """Whether this is the data channel section (RFC 8841)."""
        return self.kind == "application" and "webrtc-datachannel" in self.formats

    def extension_ids(self) -> dict[str, int]:
        """Header extension ids by URI."""
        return {extmap.uri: extmap.id for extmap in self.extmaps}

    def feedback_for(self, payload_type: int) -> list[str]:
        """Feedback messages that apply to ``payload_type``, wildcards included."""
        return self.rtcp_fb.get(payload_type, []) + self.rtcp_fb.get(None, [])

    def rtx_ssrc_of(self, ssrc: int) -> int | None:
        """Retransmission SSRC paired with ``ssrc`` by an ``FID`` group (RFC 5576 §4.2)."""
        for group in self.ssrc_groups:
            if group.semantics == "FID" and len(group.ssrcs) == 2 and group.ssrcs[0] == ssrc:
                return group.ssrcs[1]
        return None


@dataclass(slots=True)
class SessionDescription:
    """An offer or an answer."""

    origin: Origin = field(default_factory=Origin)
    name: str = "-"
    groups: list[Group] = field(default_factory=list)
    ice_lite: bool = False
    extmap_allow_mixed: bool = False
    transport: TransportParameters = field(default_factory=TransportParameters)
    attributes: list[tuple[str, str | None]] = field(default_factory=list)
    media: list[MediaSection] = field(default_factory=list)

    def section(self, mid: str) -> MediaSection | None:
        """The section with that mid."""
        return next((section for section in self.media if section.mid == mid), None)

    def bundled_mids(self) -> tuple[str, ...]:
        """Mids of the first BUNDLE group; empty without one (RFC 9143)."""
        return next((group.mids for group in self.groups if group.semantics == "BUNDLE"), ())

    def transport_of(self, section: MediaSection) -> TransportParameters:
        """ICE and DTLS parameters in force: those of the section, else those of the session."""
        own, common = section.transport, self.transport
        return TransportParameters(
            ice_ufrag=own.ice_ufrag or common.ice_ufrag,
            ice_pwd=own.ice_pwd or common.ice_pwd,
            ice_options=own.ice_options or common.ice_options,
            fingerprints=own.fingerprints or common.fingerprints,
            setup=own.setup or common.setup,
        )
