"""Ports that are taken, and the address under which other machines reach this one."""

import socket
from typing import Final

WILDCARDS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound
_DOCUMENTATION_ADDRESS: Final = ("192.0.2.1", 9)
"""RFC 5737 TEST-NET-1: asks the routing table for our own address; no packet is sent."""


def is_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    """Whether ``port`` can be bound on ``host`` now, for TCP or UDP.

    Raises OSError when ``host`` is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in {98, 13, 48}:  # in use, or below 1024 without the right (BSD: 48)
                return False
            raise
    return True


def own_address() -> str:
    """The address of this machine on the way to others; loopback when it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_DOCUMENTATION_ADDRESS)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def reachable(host: str) -> str:
    """``host`` as another process of this machine can connect to it."""
    if host in WILDCARDS:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
