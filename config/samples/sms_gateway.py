"""A gateway to start from: takes Điểm Cầu's announcements and hands the text on.

    GATEWAY_SECRET=bi-mat python3 sms_gateway.py 8099

Checks the signature, refuses what is not signed, and passes each message on once (`id` repeats when
an answer was lost). `deliver` prints; put the call of your provider (SMS, Zalo, chat) there.
Settings of Điểm Cầu: ``gateway.url = "http://127.0.0.1:8099/"``, ``gateway.secret = "bi-mat"``.
"""

import hashlib
import hmac
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("GATEWAY_SECRET", "")
MAX_BYTES = 64 * 1024
seen: set[str] = set()


def deliver(phone: str, text: str) -> None:
    """Send ``text`` to ``phone``. Raise OSError for "try again later"."""
    print(f"{phone}: {text}", flush=True)


class Gateway(BaseHTTPRequestHandler):
    """Answers 200 taken, 400 not a message, 401 not signed, 503 try again."""

    def do_POST(self) -> None:
        """Take one message."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MAX_BYTES))
        self.send_response(self._handle(body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _handle(self, body: bytes) -> int:
        wanted = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, self.headers.get("X-DiemCau-Signature", "")):
            return 401
        try:
            message = json.loads(body)
            number, phone, text = message["id"], message["to"], message["text"]
        except (ValueError, KeyError, TypeError):
            return 400
        if number not in seen:
            try:
                deliver(phone, f"{text} {message.get('reply_link', '')}".strip())
            except OSError:
                return 503
            seen.add(number)
        return 200

    def log_message(self, *_args: object) -> None:
        """Say nothing on standard error."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    ThreadingHTTPServer(("127.0.0.1", port), Gateway).serve_forever()
