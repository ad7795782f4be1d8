"""Addresses of scripts, styles and fonts: the bundles Vite has built, and our own static files.

Vite writes ``static/dist/.vite/manifest.json``: source entry → hashed files. Our own files get a
digest of their content as query, so both kinds may be cached for a year and change at once when
a new version is installed. Nothing comes from another host.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import Flask, g, url_for

DIST: Final = "dist"
_DIGEST_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a page loads for one entry: module scripts, chunks to preload, style sheets."""

    scripts: tuple[str, ...] = ()
    preloads: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    fonts: tuple[str, ...] = ()


class Assets:
    """Looks files up once and remembers them for the life of the process."""

    def __init__(self, static_folder: Path) -> None:
        self._folder = static_folder
        self._digests: dict[str, tuple[float, str]] = {}
        self._manifest: tuple[float, dict[str, Any]] = (0.0, {})

    def digest(self, filename: str) -> str:
        """Short digest of a static file's content; empty when there is no such file."""
        path = self._folder / filename
        try:
            changed_s = path.stat().st_mtime
        except OSError:
            return ""
        known = self._digests.get(filename)
        if known is None or known[0] != changed_s:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST_DIGITS]
            known = self._digests[filename] = (changed_s, digest)
        return known[1]

    def bundle(self, entry: str) -> Bundle:
        """The files of a Vite entry such as ``src/pages.ts``; empty when nothing was built."""
        manifest = self._read_manifest()
        chunk = manifest.get(entry)
        if chunk is None:
            return Bundle()
        chunks = [chunk]
        waiting = list(chunk.get("imports", ()))
        seen = set()
        while waiting:
            name = waiting.pop(0)
            if name in seen or name not in manifest:
                continue
            seen.add(name)
            chunks.append(manifest[name])
            waiting.extend(manifest[name].get("imports", ()))
        styles = [style for part in chunks for style in part.get("css", ())]
        file = chunk["file"]
        is_script = file.endswith(".js")
        return Bundle(
            scripts=(file,) if is_script else (),
            preloads=tuple(part["file"] for part in chunks[1:]),
            styles=tuple(dict.fromkeys(styles if is_script else [file, *styles])),
            fonts=tuple(dict.fromkeys(f for part in chunks for f in part.get("assets", ()))),
        )

    def _read_manifest(self) -> dict[str, Any]:
        path = self._folder / DIST / ".vite" / "manifest.json"
        try:
            changed_s = path.stat().st_mtime
        except OSError:
            return {}
        if self._manifest[0] != changed_s:
            self._manifest = (changed_s, json.loads(path.read_text(encoding="utf-8")))
        return self._manifest[1]


def register(app: Flask) -> None:
    """Give templates ``static_url(name)``, ``bundle(entry)`` and ``dist_url(file)``."""
    assert app.static_folder is not None, "the application serves its own static files"
    assets = Assets(Path(app.static_folder))

    def static_url(filename: str) -> str:
        known: dict[str, str] = g.setdefault("static_urls", {})  # a page has hundreds of icons
        if filename not in known:
            digest = assets.digest(filename) or None
            known[filename] = url_for("static", filename=filename, v=digest)
        return known[filename]

    def dist_url(file: str) -> str:
        return url_for("static", filename=f"{DIST}/{file}")

    app.jinja_env.globals.update(static_url=static_url, dist_url=dist_url, bundle=assets.bundle)
