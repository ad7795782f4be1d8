"""Uploads beyond the limit, against the server as it runs: refused early, and never in memory."""

import contextlib
import http.client
import json
import re
import secrets
import urllib.parse
from dataclasses import dataclass

import psutil
import pytest

from conference.access.sample import PASSWORD
from tests.conftest import csrf_token
from tests.support.service import Service

pytestmark = pytest.mark.media
MIB = 1 << 20
HUGE = 4 << 30
MAY_GROW = 80 * MIB
"""Far below one upload of the limit's size, far above what a busy worker's memory moves by."""


@dataclass
class Officer:
    """A logged-in person who speaks HTTP by hand, so that bodies may be wrong."""

    service: Service

    def __post_init__(self) -> None:
        self.cookie = ""
        token = csrf_token(self.page("/dang-nhap"))
        form = {"csrf_token": token, "username": "thuky", "password": PASSWORD}
        self._keep(self.ask("POST", "/dang-nhap", urllib.parse.urlencode(form).encode()))
        self.token = csrf_token(self.page("/hom-nay"))

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.service.web_port, timeout=60)

    def ask(self, method: str, path: str, body: bytes = b"") -> http.client.HTTPResponse:
        one = self.connection()
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        one.request(method, path, body or None, headers)
        answer = one.getresponse()
        answer.body = answer.read().decode()  # type: ignore[attr-defined]
        one.close()
        return answer

    def page(self, path: str) -> str:
        answer = self.ask("GET", path)
        self._keep(answer)
        return str(answer.body)  # type: ignore[attr-defined]

    def _keep(self, answer: http.client.HTTPResponse) -> None:
        found = re.findall(r"(diemcau=[^;]+)", answer.getheader("Set-Cookie") or "")
        self.cookie = found[-1] if found else self.cookie

    def begin(self, length: int | None, boundary: str) -> http.client.HTTPConnection:
        """The head of an upload to a meeting's papers; chunked without a length."""
        one = self.connection()
        one.putrequest("POST", "/cuoc-hop/1/tai-lieu")
        one.putheader("Cookie", self.cookie)
        one.putheader("Accept", "application/json")
        one.putheader("X-CSRFToken", self.token)
        one.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
        if length is None:
            one.putheader("Transfer-Encoding", "chunked")
        else:
            one.putheader("Content-Length", str(length))
        one.endheaders()
        return one


def memory(service: Service) -> int:
    """Bytes that the web processes hold."""
    assert service.process is not None
    family = psutil.Process(service.process.pid).children(recursive=True)
    return sum(one.memory_info().rss for one in family if "media" not in one.cmdline())


def test_four_gigabytes_are_refused_from_the_head_alone(service: Service) -> None:
    upload = Officer(service).begin(HUGE, "x")
    answer = upload.getresponse()  # not one byte of the body was sent
    assert answer.status == 413
    told = json.loads(answer.read())["error"]["message"]
    assert told == "Tệp quá lớn; tối đa 200 MB."
    upload.close()


def test_an_upload_without_a_length_is_stopped_at_the_limit_and_stays_out_of_memory(
    service: Service,
) -> None:
    boundary = secrets.token_hex(8)
    upload = Officer(service).begin(None, boundary)
    before = memory(service)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="../../a.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n%PDF-1.7\n"
    ).encode()
    sent, most = len(head), 0
    upload.send(b"%x\r\n%s\r\n" % (len(head), head))
    block = b"%x\r\n%s\r\n" % (MIB, bytes(MIB))
    with contextlib.suppress(OSError):  # the server hangs up
        while sent < HUGE:
            upload.send(block)
            sent += MIB
            most = max(most, memory(service) - before if sent % (16 * MIB) < MIB else 0)
    assert sent < 400 * MIB
    assert most < MAY_GROW
    status = 413
    with contextlib.suppress(OSError, http.client.HTTPException):
        # the answer is lost where the connection is reset under bytes nobody read
        status = upload.getresponse().status
    assert status == 413
    upload.close()
