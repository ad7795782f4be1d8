"""The gallery of ``rooms``: 25 tiles and a speaker to 134. Needs minutes, so only when named.

python -m benchmarks.gallery
"""

import json
from typing import Any, Final

from benchmarks import rooms

IS_LONG: Final = True


def run() -> dict[str, Any]:
    """See ``rooms``."""
    return rooms.run(("gallery",))


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
