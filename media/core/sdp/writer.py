"""Session descriptions to text, attributes always in the same order."""

from media.core.sdp.model import (
    Direction,
    ExtMap,
    MediaSection,
    SessionDescription,
    TransportParameters,
)


def write(description: SessionDescription) -> str:
    """The description as text, lines ended by CRLF. ``parse`` reads back an equal value."""
    origin = description.origin
    lines = [
        "v=0",
        f"o={origin.username} {origin.session_id} {origin.session_version} {origin.network}",
        f"s={description.name}",
        "t=0 0",
    ]
    lines += [f"a=group:{' '.join((group.semantics, *group.mids))}" for group in description.groups]
    lines += _flags(("ice-lite", description.ice_lite))
    lines += _flags(("extmap-allow-mixed", description.extmap_allow_mixed))
    lines += _transport_lines(description.transport)
    lines += _other_lines(description.attributes)
    for section in description.media:
        lines += _section_lines(section)
    return "\r\n".join(lines) + "\r\n"


def _section_lines(section: MediaSection) -> list[str]:
    formats = section.formats or [str(payload_type) for payload_type in section.payload_types]
    lines = [
        " ".join([f"m={section.kind} {section.port} {section.protocol}", *formats]),
        f"c={section.connection}",
    ]
    lines += [f"b={kind}:{value}" for kind, value in section.bandwidths.items()]
    if section.rtcp is not None:
        lines.append(f"a=rtcp:{section.rtcp}")
    lines += [f"a=candidate:{candidate}" for candidate in section.candidates]
    lines += _flags(("end-of-candidates", section.end_of_candidates))
    lines += _transport_lines(section.transport)
    if section.mid is not None:
        lines.append(f"a=mid:{section.mid}")
    lines += _flags(("bundle-only", section.bundle_only))
    lines += _flags(("extmap-allow-mixed", section.extmap_allow_mixed))
    lines += [_extmap_line(extmap) for extmap in section.extmaps]
    if section.payload_types or not section.formats or section.direction is not Direction.SENDRECV:
        lines.append(f"a={section.direction.value}")
    lines += [f"a=msid:{msid.stream} {msid.track}".rstrip() for msid in section.msids]
    lines += _flags(("rtcp-mux", section.rtcp_mux), ("rtcp-rsize", section.rtcp_rsize))
    lines += _codec_lines(section)
    lines += _source_lines(section)
    if section.sctp_port is not None:
        lines.append(f"a=sctp-port:{section.sctp_port}")
    if section.max_message_size is not None:
        lines.append(f"a=max-message-size:{section.max_message_size}")
    return lines + _other_lines(section.attributes)


def _codec_lines(section: MediaSection) -> list[str]:
    lines = []
    for payload_type, rtpmap in section.rtpmaps.items():
        channels = f"/{rtpmap.channels}" if rtpmap.channels != 1 else ""
        lines.append(f"a=rtpmap:{payload_type} {rtpmap.encoding}/{rtpmap.clock_rate}{channels}")
    for target, messages in section.rtcp_fb.items():
        name = "*" if target is None else str(target)
        lines += [f"a=rtcp-fb:{name} {message}" for message in messages]
    lines += [f"a=fmtp:{payload_type} {text}" for payload_type, text in section.fmtp.items()]
    return lines


def _source_lines(section: MediaSection) -> list[str]:
    lines = [f"a=rid:{rid.id} {rid.direction} {rid.restrictions}".rstrip() for rid in section.rids]
    sides = (("send", section.simulcast_send), ("recv", section.simulcast_recv))
    simulcast = [f"{side} {';'.join(streams)}" for side, streams in sides if streams]
    if simulcast:
        lines.append(f"a=simulcast:{' '.join(simulcast)}")
    lines += [
        f"a=ssrc-group:{' '.join((group.semantics, *map(str, group.ssrcs)))}"
        for group in section.ssrc_groups
    ]
    for ssrc, attributes in section.ssrcs.items():
        if not attributes:
            lines.append(f"a=ssrc:{ssrc}")
        for name, value in attributes.items():
            lines.append(
                f"a=ssrc:{ssrc} {name}" if value is None else f"a=ssrc:{ssrc} {name}:{value}"
            )
    return lines


def _transport_lines(transport: TransportParameters) -> list[str]:
    lines = []
    if transport.ice_ufrag is not None:
        lines.append(f"a=ice-ufrag:{transport.ice_ufrag}")
    if transport.ice_pwd is not None:
        lines.append(f"a=ice-pwd:{transport.ice_pwd}")
    if transport.ice_options:
        lines.append(f"a=ice-options:{' '.join(transport.ice_options)}")
    lines += [f"a=fingerprint:{one.algorithm} {one.value}" for one in transport.fingerprints]
    if transport.setup is not None:
        lines.append(f"a=setup:{transport.setup}")
    return lines


def _extmap_line(extmap: ExtMap) -> str:
    direction = f"/{extmap.direction.value}" if extmap.direction else ""
    return f"a=extmap:{extmap.id}{direction} {extmap.uri} {extmap.attributes}".rstrip()


def _flags(*flags: tuple[str, bool]) -> list[str]:
    return [f"a={name}" for name, is_set in flags if is_set]


def _other_lines(attributes: list[tuple[str, str | None]]) -> list[str]:
    return [f"a={name}" if value is None else f"a={name}:{value}" for name, value in attributes]
