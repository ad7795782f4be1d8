"""Intake: media packets from the sockets to their connections, decrypted. See ``port``.

Two makings do the same: ``kernel`` reads, decrypts and describes many packets in one call of the
compiled part; ``plain`` leaves all that to ``UdpPort`` and ``Connection``, one packet at a time.
``open_intake`` chooses as ``fanout.open_fanout`` does, by the same environment variable.
"""

import logging
import os

from media.transport.fanout import CHOICES, VARIABLE
from media.transport.intake.kernel import KernelIntake
from media.transport.intake.plain import PlainIntake

log = logging.getLogger(__name__)

__all__ = ["KernelIntake", "PlainIntake", "open_intake"]


def open_intake(choice: str = "auto") -> KernelIntake | PlainIntake:
    """The kernel if it can be used, else the plain way; or what was chosen.

    OSError when the kernel is wanted and cannot be used, ValueError for an unknown choice.
    """
    wanted = os.environ.get(VARIABLE) or choice
    if wanted not in CHOICES:
        raise ValueError(f"{VARIABLE}: {wanted} is none of {', '.join(CHOICES)}")
    if wanted == "python":
        return PlainIntake()
    try:
        return KernelIntake()
    except OSError as error:
        if wanted == "kernel":
            raise
        log.info("packets are read without the kernel: %s", error)
        return PlainIntake()
