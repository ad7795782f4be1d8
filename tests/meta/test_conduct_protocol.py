"""docs/conduct-protocol.md and the code name the same events and fields."""

import re
from pathlib import Path

from web.realtime import hub, server, watcher
from web.realtime.events import EVENTS

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "conduct-protocol.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, str]:
    """First column → second column of the table under ``heading``."""
    part = DOCUMENT.split(f"## {heading}")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \|", part, flags=re.MULTILINE)
    return dict(rows)


def test_every_event_of_a_client_is_documented_with_its_fields() -> None:
    documented = table("Client → server")
    assert set(documented) == {*EVENTS, "state.get"}
    for name, event in EVENTS.items():
        fields = set(re.findall(r'"(\w+)"', documented[name]))
        assert fields == set(event.fields), name


def test_every_event_of_the_server_is_documented() -> None:
    folder = ROOT / "web" / "realtime"
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    sent = set(re.findall(r'(?:emit|tell|tell_all)\([^"\n]*?"([a-z.]+)"', code))
    sent |= set(re.findall(r'identity, "([a-z.]+)", \{', code))
    sent |= {name for names in re.findall(r"changed=\(([^)]*)\)", code)
             for name in re.findall(r'"([a-z]+)"', names)}  # fmt: skip
    sent |= set(re.findall(r'to_all=\(\("([a-z]+)"', code))
    assert sent == set(table("Server → client"))


def test_limits_in_the_document_are_those_in_force() -> None:
    assert f"above {hub.MESSAGES_PER_S} events a second" in DOCUMENT
    assert f"above {server.MAX_MESSAGE_BYTES // 1024} KB" in DOCUMENT
    assert hub.ROSTER_EVERY_S == 0.5
    assert "at most twice a second" in DOCUMENT
    assert watcher.LIGHT_EVERY_S <= 1
