"""The command ``diemcau``.

``diemcau serve`` brings the whole service up on one machine: prepares the data folder, checks the
ports, starts web, media node and recordings worker, prints where the pages are. Messages go to the
operator, so they are short, in English like the logs, and name what to change.
"""

import argparse
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NoReturn

from conference.access.sample import SampleAccount
from conference.archive.bucket import open_bucket
from config.settings import Settings, SettingsError, load
from web import (
    audit_command,
    demo_command,
    mail_in_command,
    preparation,
    search_command,
    statistics_command,
    take_in_command,
    transfer_command,
    verify_command,
)
from web.network import WILDCARDS, is_free, own_address, reachable
from web.supervisor import Program, Supervisor

ROLE_WORDS: Final = {
    "administrator": "quản trị",
    "secretary": "thư ký",
    "office_chief": "chánh văn phòng",
    "chair": "chủ tọa",
    "clerk": "văn thư",
    "technician": "kỹ thuật",
    "site": "điểm cầu",
    "delegate": "đại biểu",
    "leader": "lãnh đạo",
    "auditor": "kiểm tra",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit status."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SettingsError as error:
        return _fail(str(error))


def parser() -> argparse.ArgumentParser:
    """The command's options; `docs/cli.md` is compared with them."""
    top = argparse.ArgumentParser(
        prog="diemcau", description="Online meetings of a province, on your own machine."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="run the whole service until Ctrl-C",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = serve.add_argument
    add("--data", type=Path, default=Path("var"), metavar="DIR", help="data folder")
    add(
        "--config", type=Path, metavar="FILE", help="settings; else diemcau.toml in the data folder"
    )
    add("--host", help="address to serve on; 0.0.0.0 for the office's network")
    add("--port", type=int, help="port of the pages")
    add("--media-port", type=int, help="port of media signalling")
    add("--udp-port", type=int, help="UDP port of media")
    add("--tcp-port", type=int, help="TCP port of media, for networks without UDP; 0: none")
    add("--no-sample", action="store_true", help="leave an empty database empty")
    serve.set_defaults(run=serve_command)
    statistics_command.add_to(commands)
    transfer_command.add_to(commands)
    demo_command.add_to(commands)
    audit_command.add_to(commands)
    mail_in_command.add_to(commands)
    verify_command.add_to(commands)
    take_in_command.add_to(commands)
    search_command.add_to(commands)
    return top


def serve_command(options: argparse.Namespace) -> int:
    """``diemcau serve``."""
    settings = load(options.data, file=options.config, options=overrides(options))
    open_bucket(settings.storage)  # says now what is wrong with its settings
    problem = taken_port(settings)
    if problem:
        return _fail(problem)
    preparation.prepare(settings)
    accounts = [] if options.no_sample else preparation.load_sample(settings)
    service = Supervisor(
        programs(settings, options), on_healthy=lambda: _announce(settings, accounts)
    )
    return service.run()


def overrides(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What was given on the command line, as settings."""
    web = {"host": options.host, "port": options.port}
    media = {
        "host": options.host,
        "port": options.media_port,
        "udp_port": options.udp_port,
        "tcp_port": options.tcp_port,
    }
    given = {"web": web, "media": media}
    return {
        section: {key: value for key, value in values.items() if value is not None}
        for section, values in given.items()
    }


def runs_own_node(settings: Settings) -> bool:
    """Whether the media engine is our own node: it is, unless another's address is set."""
    return not settings.media.api_url


def taken_port(settings: Settings) -> str:
    """One line about the first port that cannot be used; empty when all are free."""
    media = settings.media
    wanted = [("web", "--port", settings.web.host, settings.web.port, socket.SOCK_STREAM)]
    if runs_own_node(settings):
        wanted += [
            ("media", "--media-port", media.host, media.port, socket.SOCK_STREAM),
            ("media UDP", "--udp-port", media.host, media.udp_port, socket.SOCK_DGRAM),
        ]
        if media.tcp_port:
            wanted.append(
                ("media TCP", "--tcp-port", media.host, media.tcp_port, socket.SOCK_STREAM)
            )
    for name, option, host, port, kind in wanted:
        try:
            if is_free(host, port, kind):
                continue
        except OSError as error:
            return f"cannot use address {host}: {error.strerror or error}"
        except OverflowError:
            return f"{port} is not a port number; choose another with {option}"
        return f"port {port} ({name}) is taken; choose another with {option}"
    return ""


def programs(settings: Settings, options: argparse.Namespace) -> list[Program]:
    """The processes of the service, as the supervisor starts them."""
    environment = {**os.environ, **as_environment(overrides(options))}
    environment["PYTHONUNBUFFERED"] = "1"
    if settings.web.host in WILDCARDS and not settings.web.public_url:
        environment["DIEMCAU_WEB_PUBLIC_URL"] = _public_url(settings)
    common = ["--data", str(settings.data_dir)]
    if options.config is not None:
        common += ["--config", str(options.config)]
    page = f"http://{reachable(settings.web.host)}:{settings.web.port}"
    found = [
        Program("web", _module("web", *common), environment, f"{page}/healthz"),
        Program("recordings", _module("recordings", *common), environment),
    ]
    if runs_own_node(settings):
        found.insert(1, _media(settings, environment, page))
    return found


def as_environment(options: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Settings as the variables that `config.settings` reads."""
    known = {f.name for f in fields(Settings)}
    return {
        f"DIEMCAU_{section}_{key}".upper(): str(value)
        for section, values in options.items()
        if section in known
        for key, value in values.items()
    }


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _media(settings: Settings, environment: Mapping[str, str], page: str) -> Program:
    media = settings.media
    arguments = ["--host", media.host, "--port", str(media.port)]
    arguments += ["--udp-port", str(media.udp_port), "--tcp-port", str(media.tcp_port)]
    arguments += ["--webhook-url", f"{page}/engine/webhook"]
    node_ip = media.node_ip or ("" if media.host in WILDCARDS else media.host)
    for address in filter(None, node_ip.split(",")):
        arguments += ["--node-ip", address.strip()]
    for url in filter(None, media.turn_urls.split(",")):
        arguments += ["--turn-url", url.strip()]
    secrets = {
        "LIVEKIT_KEYS": f"{media.api_key}: {settings.media_secret()}",
        "TURN_SECRET": settings.turn_secret(),
    }
    return Program(
        "media",
        _module("media", *arguments),
        {**environment, **secrets},
        f"http://{reachable(media.host)}:{media.port}/",
    )


def _public_url(settings: Settings) -> str:
    return settings.web.public_url or f"http://{own_address()}:{settings.web.port}"


def _announce(settings: Settings, accounts: Sequence[SampleAccount]) -> None:
    web = settings.web
    is_open = web.host in WILDCARDS
    lines = ["", f"  Điểm Cầu: http://{'localhost' if is_open else reachable(web.host)}:{web.port}"]
    if is_open:
        lines.append(f"  other machines: {_public_url(settings)}")
        if not _public_url(settings).startswith("https:"):
            lines.append("  (browsers open cameras of other machines only over https: README)")
    if accounts:
        width = max(len(account.username) for account in accounts)
        lines += ["", "  Sample province with sample accounts; not for real use:"]
        lines += [
            f"    {account.username:<{width}}  {account.password}  "
            f"{ROLE_WORDS[account.role.value]}: {account.name}"
            for account in accounts
        ]
    lines += ["", "  Ctrl-C ends the service.", ""]
    print("\n".join(lines), flush=True)


def _fail(text: str) -> int:
    print(f"diemcau: {text}", file=sys.stderr)
    return 1


def run() -> NoReturn:
    """Run the command as a program.

    All work is done and every child gone when `main` returns; taking the interpreter's modules
    apart afterwards would only add to the time that ending the service takes.
    """
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
