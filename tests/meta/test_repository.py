"""What is kept in the repository can be built anywhere, without any machine of ours."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PUBLIC_REGISTRY = "https://registry.npmjs.org/"


def kept_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_packages_of_the_room_app_come_from_the_public_registry_or_anywhere() -> None:
    lock = json.loads((ROOT / "web/room/package-lock.json").read_text())
    for name, package in lock["packages"].items():
        resolved = package.get("resolved", "")
        assert not resolved or resolved.startswith(PUBLIC_REGISTRY), name
        assert not name or "integrity" in package or package.get("link"), name


def test_python_packages_are_locked_to_versions_and_to_no_host() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    for line in lines:
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line)


def test_every_dependency_is_locked() -> None:
    import tomllib  # noqa: PLC0415

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = {
        normal(line.partition("==")[0]) for line in (ROOT / "requirements.lock").read_text().split()
    }
    missing = {normal(re.split(r"[\[<>=!~ ]", name)[0]) for name in wanted} - locked
    assert missing == set()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_file_is_large_or_made() -> None:
    for path in kept_files():
        assert path.stat().st_size < 1_000_000, path
        assert "node_modules" not in path.parts, path
        assert path.suffix not in {".pyc", ".sqlite3", ".log"}, path


def test_texts_name_no_place_of_the_makers() -> None:
    for path in kept_files():
        if path.suffix in {".md", ".py", ".ts", ".tsx", ".toml", ".yml", ".html", ".css", ".js"}:
            text = path.read_text(encoding="utf-8")
            found = re.search(r"(?:^|[\s\"'(`=])(/(?:home|root|work|Users)/\w+|\.\./shared/)", text)
            assert found is None, (path, found)
