"""Errors of the media core.

    ProtocolError
    ├── RemoteProtocolError   the peer sent something malformed or forbidden
    └── LocalProtocolError    our own code broke a rule of the protocol

A remote error costs at most the packet or the peer that caused it. A local error is a bug.
No parser of this package raises anything else for bytes or text from the network.
"""


class ProtocolError(Exception):
    """A rule of RTP, RTCP, SDP, SCTP or of a payload format was broken."""


class RemoteProtocolError(ProtocolError):
    """The other side broke it: drop the input, or close that peer, and go on."""


class LocalProtocolError(ProtocolError):
    """This side broke it: a call with values no packet can carry."""
