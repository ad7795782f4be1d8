"""``diemcau verify PACKAGE``: whether an export package is as it was made."""

import argparse
import sys
from pathlib import Path

from conference.archive import verify


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of ``diemcau``."""
    made = commands.add_parser("verify", help="check an export package")
    made.add_argument("package", type=Path, metavar="PACKAGE", help="the ZIP file")
    made.add_argument("--key", default="", metavar="HEX", help="fingerprint of the expected key")
    made.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when the package is whole, 1 when it is not, 2 when there is no such file."""
    try:
        with options.package.open("rb") as file:
            found = verify.check(file)
    except OSError as error:
        print(f"diemcau: {error}", file=sys.stderr)
        return 2
    faults = list(found.faults)
    if options.key and found.is_whole and found.key != options.key.lower():
        faults.append(f"signed by another key: {found.key}")
    for fault in faults:
        print(f"BROKEN: {fault}")
    if faults:
        return 1
    print(f"whole: {found.title}; {found.files} files, {found.bytes} bytes; key {found.key}")
    return 0
