"""``livekit-client`` in Firefox, driven by the WebDriver BiDi it has built in (W3C working draft).

No driver program is needed: Firefox opens a WebSocket itself. The page is the one Chromium gets.
"""

import asyncio
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.conformance.chromium import served

PREFERENCES: Final = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.default_address_only": False,
    "media.peerconnection.ice.no_host": False,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
}
START_S: Final = 60.0


def program() -> str | None:
    """Firefox, as Debian or anybody else has installed it."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class FirefoxTab:
    """One page. ``call`` runs a function of ``probe.js``."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._context = ""

    async def open(self, address: str) -> None:
        """Begin a session and show the page."""
        await self._command("session.new", {"capabilities": {}})
        tree = await self._command("browsingContext.getTree", {})
        self._context = tree["contexts"][0]["context"]
        navigate = {"context": self._context, "url": address, "wait": "complete"}
        await self._command("browsingContext.navigate", navigate)

    async def call(self, name: str, *arguments: Any) -> Any:
        """The result of ``probe.name(...arguments)``."""
        given = json.dumps(list(arguments))
        expression = (
            f"(async () => JSON.stringify(await probe[{json.dumps(name)}](...{given}) ?? null))()"
        )
        answer = await self._command(
            "script.evaluate",
            {
                "expression": expression,
                "target": {"context": self._context},
                "awaitPromise": True,
                "userActivation": True,
            },
        )
        assert answer["type"] == "success", answer.get("exceptionDetails", answer)
        return json.loads(answer["result"]["value"])

    async def _command(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(START_S):
            while True:
                message: dict[str, Any] = await self._socket.receive_json()
                if message.get("id") == number:
                    assert message.get("type") == "success", message
                    result: dict[str, Any] = message["result"]
                    return result


@asynccontextmanager
async def firefox_tab(executable: str, profile: Path) -> AsyncIterator[FirefoxTab]:
    """A fresh Firefox that shows the page."""
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        executable, "--headless", "--no-remote", "--profile", str(profile),
        "--remote-debugging-port", "0", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    drain: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(START_S):
            address = await _bidi_address(process.stderr)
        drain = asyncio.create_task(process.stderr.read())
        with served() as page:
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"{address}/session", max_msg_size=1 << 24) as socket,
            ):
                tab = FirefoxTab(socket)
                await tab.open(page)
                yield tab
    finally:
        process.terminate()
        await process.wait()
        if drain is not None:
            await drain


async def _bidi_address(stderr: asyncio.StreamReader) -> str:
    while True:
        line = (await stderr.readline()).decode(errors="replace")
        assert line, "Firefox ended before it could be driven"
        found = re.search(r"WebDriver BiDi listening on (ws://\S+)", line)
        if found is not None:
            return found[1]
