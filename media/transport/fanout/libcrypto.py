"""Find a libcrypto for the kernel.

It may be the one Python's own hashing is linked against, the system's, or the one that pylibsrtp
carries and happens to export.

``candidates`` lists those that can be loaded. Which is fastest depends on how they were built;
``kernel.fastest`` measures it.
"""

import ctypes.util
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pylibsrtp


def candidates() -> list[str]:
    """Names or paths that the dynamic loader may try, without repetitions."""
    return list(dict.fromkeys(_found()))


def _found() -> Iterator[str]:
    hashlib.sha256(b"")  # makes sure that the interpreter has loaded its own
    for line in _mapped():
        path = line.split(maxsplit=5)[-1]
        if "libcrypto" in path.rpartition("/")[2] and Path(path).exists():
            yield path
    name = ctypes.util.find_library("crypto")
    if name is not None:
        yield name
    package = Path(pylibsrtp.__file__).parent
    yield from (str(path) for path in package.glob("_binding*.so"))


def _mapped() -> list[str]:
    try:
        return Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return []
