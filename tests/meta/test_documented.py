"""What exists is documented, and what is documented exists."""

import argparse
import re
import tomllib
from pathlib import Path

from config.settings import DEFAULTS_FILE, Settings, as_dict
from web.cli import parser
from web.realtime.events import EVENTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def settings_in_code() -> set[str]:
    return {f"{section}.{key}" for section, keys in as_dict(Settings()).items() for key in keys}


def test_the_settings_page_lists_every_setting_and_no_other() -> None:
    rows = [line for line in text("settings.md").splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([a-z]+\.[a-z_]+)`", row)}
    assert documented == settings_in_code()


def test_the_commented_defaults_are_the_defaults() -> None:
    assert tomllib.loads(DEFAULTS_FILE.read_text(encoding="utf-8")) == as_dict(Settings())


def test_every_default_has_a_comment() -> None:
    lines = DEFAULTS_FILE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            above = lines[:number]
            last_break = max(i for i, one in enumerate(above) if one == "" or one.startswith("["))
            assert any(one.startswith("#") for one in above[last_break:]) or line.split()[0] in {
                "host", "port", "udp_port", "user", "password",
            }, line  # fmt: skip


def test_the_command_line_page_lists_every_option_and_no_other() -> None:
    subcommands = next(
        action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    page = text("cli.md")
    for name, command in subcommands.choices.items():
        section = page.split(f"## `diemcau {name}`")[1].split("\n## ")[0]
        documented = set(re.findall(r"\| `(--[a-z-]+)", section))
        options = {word for action in command._actions for word in action.option_strings}
        assert documented == {word for word in options if word.startswith("--")} - {"--help"}
    assert set(re.findall(r"## `diemcau ([a-z-]+)`", page)) == set(subcommands.choices)


def test_every_event_of_the_conduct_protocol_exists_and_is_documented() -> None:
    page = text("conduct-protocol.md")
    sent = page.split("## Client → server")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", sent, re.MULTILINE))
    assert documented == {*EVENTS, "state.get"}


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_make_targets_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        written = page.read_text(encoding="utf-8")
        for name in re.findall(r"(?:`|^|sudo )make ([a-z]+)", written, re.MULTILINE):
            assert name in targets, f"{page.name}: make {name}"
