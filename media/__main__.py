"""``python -m media``: run one media node until SIGTERM or SIGINT.

``--dev`` serves 127.0.0.1 with the key pair devkey/secret, which every LiveKit tool tries
by default. Without it at least one API key is needed, from ``--keys-file``, ``--key``,
``LIVEKIT_KEYS`` or the ``[keys]`` table of ``--config``. One line on standard output says
that the node is ready; a fault at start is one line on standard error and exit status 1.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from media.api.server import MediaServer, PortTakenError
from media.logs import JsonFormatter, TextFormatter
from media.settings import Settings, SettingsError, load_settings, parse_keys, read_keys_file

COLLECT_AFTER: Final = (20_000, 20, 50)
"""Thresholds of the garbage collector; by default 700, 10, 10."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit status."""
    options = _parser().parse_args(arguments)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if options.log_format == "json" else TextFormatter())
    logging.basicConfig(level=options.log_level.upper(), handlers=[handler])
    try:
        settings = load_settings(
            config=options.config,
            environ=os.environ,
            overrides=_overrides(options),
            dev=options.dev,
        )
        asyncio.run(_serve(settings))
    except (SettingsError, PortTakenError) as error:
        print(f"media: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    server = MediaServer(settings)
    await server.start()
    _calm_collector()
    print(
        f"media node ready: http://{_url_host(settings.host)}:{server.port}"
        f" UDP {server.node.udp_port}",
        flush=True,
    )
    await stop.wait()
    await server.close()


def _calm_collector() -> None:
    """Collect cycles seldom: what the node holds is long-lived, and each pass stops the media."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments that were given, in the shape of the configuration file."""
    keys: dict[str, str] = {}
    if options.keys_file is not None:
        keys |= read_keys_file(options.keys_file)
    for pair in options.key:
        keys |= parse_keys(pair)
    values = {
        "keys": keys or None,
        "host": options.host,
        "port": options.port,
        "region": options.region,
        "rtc": _given(
            udp_port=options.udp_port,
            tcp_port=options.tcp_port,
            node_ip=options.node_ip or None,
            turn_urls=options.turn_url or None,
        ),
        "webhook": _given(urls=options.webhook_url or None, api_key=options.webhook_api_key),
    }
    return _given(**values)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m media", description="A media node that LiveKit clients and SDKs can use."
    )
    add = parser.add_argument
    add("--dev", action="store_true", help="127.0.0.1 with the key pair devkey/secret")
    add("--config", type=Path, metavar="FILE", help="settings in TOML, named as LiveKit's")
    add("--host", help="address to serve HTTP and WebSocket on (default: all)")
    add("--port", type=int, help="HTTP and WebSocket port (default: 7880)")
    add("--udp-port", type=int, help="media port (default: 7882)")
    add("--tcp-port", type=int, help="port for media over TCP, such as 7881 (default: none)")
    add("--node-ip", action="append", metavar="IP", help="address told to clients; repeatable")
    add(
        "--turn-url",
        action="append",
        metavar="URL",
        help="TURN server told to clients; repeatable; its secret comes from TURN_SECRET",
    )
    add("--keys-file", type=Path, metavar="FILE", help="lines of <api key>: <secret>")
    add("--key", action="append", default=[], metavar="KEY:SECRET", help="an API key; repeatable")
    add("--webhook-url", action="append", metavar="URL", help="address told of events; repeatable")
    add("--webhook-api-key", metavar="KEY", help="the API key that signs webhooks")
    add("--region", help="name of this node's region, told to clients")
    add(
        "--log-level",
        default="warning",
        choices=("debug", "info", "warning", "error"),
        help="how much is logged on standard error",
    )
    add(
        "--log-format",
        default="text",
        choices=("text", "json"),
        help="lines for people, or one JSON object a line",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
