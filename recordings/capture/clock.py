"""The recorder's clock: wall time that never goes back.

Read once and then counted, so that a clock that is set in mid-meeting moves no frame.
"""

import time
from collections.abc import Callable


def forward_clock() -> Callable[[], float]:
    """Seconds since the epoch; call it once for each process."""
    anchor = time.time() - time.monotonic()
    return lambda: anchor + time.monotonic()
