"""Fan-out: one packet in, protected packets to many receivers out. See ``port``.

Two makings give the same bytes: ``kernel`` (C, built when a compiler is there) and ``twin``
(Python). ``open_fanout`` chooses; the environment variable ``MEDIA_FANOUT`` (``kernel`` or
``python``) overrides the choice, for tests and for finding faults.
"""

import logging
import os

from media.transport.fanout.kernel import load
from media.transport.fanout.port import Fanout
from media.transport.fanout.twin import TwinFanout

log = logging.getLogger(__name__)

__all__ = ["Fanout", "open_fanout"]

VARIABLE = "MEDIA_FANOUT"
CHOICES = ("auto", "kernel", "python")


def open_fanout(choice: str = "auto") -> Fanout:
    """The kernel if it can be loaded, else the twin; or what was chosen.

    OSError when the kernel is wanted and cannot be loaded, ValueError for an unknown choice.
    """
    wanted = os.environ.get(VARIABLE) or choice
    if wanted not in CHOICES:
        raise ValueError(f"{VARIABLE}: {wanted} is none of {', '.join(CHOICES)}")
    if wanted == "python":
        return TwinFanout()
    try:
        return load()
    except OSError as error:
        if wanted == "kernel":
            raise
        log.info("packets are sent without the kernel: %s", error)
        return TwinFanout()
