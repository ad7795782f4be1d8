"""Servers to measure: this project's node and, when they are installed, other people's.

Each is a context manager that starts the server on free ports, yields a ``Server`` and ends it.
"""

from benchmarks.peers.servers import KEY, SECRET, Server, livekit_server, own_node, sfus

__all__ = ["KEY", "SECRET", "Server", "livekit_server", "own_node", "sfus"]
