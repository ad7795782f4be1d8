"""Run LiveKit's own end-to-end suites, unmodified, against this node or LiveKit's server.

The suites are in the repositories of the SDKs and need a checkout of them::

    python -m tests.conformance.vendor python PATH_OF_PYTHON_SDKS
    python -m tests.conformance.vendor node PATH_OF_NODE_SDKS
        --livekit PROGRAM   against LiveKit's server instead of the node
        --only NAME         only tests whose name contains NAME
        --write             put the result into docs/compatibility.md

The Python suite runs with the packages installed beside this one. For the Node suites the SDK
that the checkout names is installed from npm into a temporary folder, and the test files are
copied there, so nothing has to be built. The exit status is 0 when every test passed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.conformance.page import replace_part
from tests.conformance.servers import DEV_PAIR, Server, livekit_server, own_node

PYTHON_SUITE: Final = Path("tests/rtc/test_e2e.py")
NODE_PACKAGE: Final = Path("packages/livekit-rtc")
NODE_SUITES: Final = ("e2e.test.ts", "e2e_data_streams.test.ts")
WITHIN_S: Final = 900


@dataclass(frozen=True)
class Outcome:
    """What became of one test."""

    suite: str
    test: str
    result: str
    """``passed``, ``failed`` or ``skipped``."""
    detail: str = ""


def run_python(checkout: Path, server: Server, only: str = "") -> list[Outcome]:
    """Run the suite of python-sdks."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", str(PYTHON_SUITE), "--import-mode=importlib", "-q",
            "-c", os.devnull, "--rootdir", str(checkout), "-p", "no:cacheprovider",
            "--override-ini", "asyncio_mode=auto", f"--junitxml={report}",
            *(["-k", only] if only else []),
        ]  # fmt: skip
        environment = _environment(server) | {"RUN_DATA_TRACK_TESTS": "1"}
        subprocess.run(command, cwd=checkout, env=environment, timeout=WITHIN_S, check=False)
        cases = ElementTree.parse(report).iter("testcase")
        return [_python_outcome(case) for case in cases]


def _python_outcome(case: ElementTree.Element) -> Outcome:
    for kind, result in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        found = case.find(kind)
        if found is not None:
            return Outcome(
                str(PYTHON_SUITE), case.get("name", ""), result, found.get("message", "")
            )
    return Outcome(str(PYTHON_SUITE), case.get("name", ""), "passed")


def run_node(checkout: Path, server: Server, only: str = "", sdk: str = "") -> list[Outcome]:
    """Run the suites of node-sdks against the SDK from npm."""
    package = checkout / NODE_PACKAGE
    wanted = sdk or json.loads((package / "package.json").read_text())["version"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(package / "src/tests", root / "src/tests")
        (root / "src/index.js").write_text("export * from '@livekit/rtc-node';\n")
        shutil.copy(package / "vite.config.js", root)
        (root / "package.json").write_text('{"name": "suites", "type": "module"}')
        install = [_program("npm"), "install", "--silent", "--no-audit", "--no-fund",
                   f"@livekit/rtc-node@{wanted}", "livekit-server-sdk@2", "vitest@4"]  # fmt: skip
        subprocess.run(install, cwd=root, check=True, timeout=WITHIN_S)
        suites = [f"src/tests/{name}" for name in NODE_SUITES]
        command = [_program("npx"), "vitest", "run", *suites, "--no-file-parallelism",
                   "--reporter=json", "--outputFile=report.json",
                   *(["-t", only] if only else [])]  # fmt: skip
        subprocess.run(command, cwd=root, env=_environment(server), timeout=WITHIN_S, check=False)
        return _node_outcomes(json.loads((root / "report.json").read_text()))


def _node_outcomes(report: Mapping[str, object]) -> list[Outcome]:
    outcomes = []
    files = report["testResults"]
    assert isinstance(files, list), "vitest's report lists files"
    for file in files:
        for case in file["assertionResults"]:
            result = case["status"] if case["status"] in {"passed", "failed"} else "skipped"
            detail = "\n".join(case.get("failureMessages") or [])
            outcomes.append(Outcome(Path(file["name"]).name, case["title"], result, detail))
    return outcomes


def _environment(server: Server) -> dict[str, str]:
    return os.environ | {
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.key,
        "LIVEKIT_API_SECRET": server.secret,
    }


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is needed for the Node suites; it comes with Node.js")
    return found


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Lines of a Markdown table."""
    lines = ["| Suite | Test | Result |", "|---|---|---|"]
    return lines + [f"| `{one.suite}` | {one.test} | {one.result} |" for one in outcomes]


def _server(program: str) -> AbstractContextManager[Server]:
    if program:
        return livekit_server(program, key=DEV_PAIR[0], secret=DEV_PAIR[1])
    return own_node(key=DEV_PAIR[0], secret=DEV_PAIR[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.vendor")
    parser.add_argument("suite", choices=("python", "node"))
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--livekit", default="", metavar="PROGRAM")
    parser.add_argument("--only", default="")
    parser.add_argument("--sdk", default="", help="another version of @livekit/rtc-node")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    checkout = options.checkout.resolve()
    with _server(options.livekit) as server:
        if options.suite == "python":
            outcomes = run_python(checkout, server, options.only)
            sdk = f"livekit {version('livekit')}"
        else:
            outcomes = run_node(checkout, server, options.only, options.sdk)
            sdk = f"@livekit/rtc-node {options.sdk or _sdk_version(checkout)}"
    for one in outcomes:
        print(f"{one.result:8} {one.suite}: {one.test}")
        if one.detail and one.result == "failed":
            print("    " + one.detail[:2000].replace("\n", "\n    "))
    passed = sum(one.result == "passed" for one in outcomes)
    print(f"{passed} of {len(outcomes)} passed against {server.name}, {sdk}")
    if options.write:
        commit = _commit(checkout)
        head = f"{passed} of {len(outcomes)} passed; {sdk}, suite at commit {commit}."
        replace_part(f"vendor {options.suite} {server.name}", [head, "", *table(outcomes)])
    return 0 if outcomes and passed == len(outcomes) else 1


def _sdk_version(checkout: Path) -> str:
    return str(json.loads((checkout / NODE_PACKAGE / "package.json").read_text())["version"])


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
