"""Headers that keep a browser from doing anything our pages do not ask for.

The content security policy allows only this host: no foreign script, style, font, picture or
frame; inline scripts only with the request's nonce. The media engine's address is the one
addition, because the room connects to it.
"""

import secrets
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, g, request
from werkzeug.wrappers import Response

from web.services import media_url

_ONE_YEAR_S: Final = 31_536_000
_PERMISSIONS: Final = (
    "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self), "
    "fullscreen=(self), screen-wake-lock=(self), autoplay=(self), clipboard-write=(self), "
    "geolocation=(), payment=(), usb=(), serial=()"
)


def nonce() -> str:
    """The nonce of this response; the same for every inline script of the page."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def content_security_policy(script_nonce: str, media: str) -> str:
    """The policy of a page whose room connects to ``media`` (a ws:// or wss:// address)."""
    parts = urlsplit(media)
    is_secure = parts.scheme in {"wss", "https"}
    sources = f"ws{'s' * is_secure}://{parts.netloc} http{'s' * is_secure}://{parts.netloc}"
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{script_nonce}'",
            f"style-src 'self' 'nonce-{script_nonce}'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob: mediastream:",
            "worker-src 'self' blob:",
            f"connect-src 'self' {sources}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def register(app: Flask) -> None:
    """Add the headers to every response of ``app``; templates get ``csp_nonce()``."""
    app.jinja_env.globals["csp_nonce"] = nonce

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", _PERMISSIONS)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Content-Security-Policy", content_security_policy(nonce(), media_url()))
        if request.is_secure:
            headers.setdefault("Strict-Transport-Security", f"max-age={_ONE_YEAR_S}")
        if request.endpoint == "static":
            is_versioned = "v" in request.args or request.path.startswith("/static/dist/assets/")
            age_s = _ONE_YEAR_S if is_versioned else 300
            headers["Cache-Control"] = f"public, max-age={age_s}"
        elif "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response
