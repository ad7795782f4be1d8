"""Check the signatures inside a PDF (PAdES, ETSI EN 319 142-1) without asking anybody.

Officials sign outside with their own token; what comes back is checked against the chain of
authorities that the administrator installed, and nothing is fetched: no revocation list, no time
stamp server. So *valid* says that the bytes are those that were signed by a key that an installed
authority certified; whether the certificate was revoked meanwhile, it cannot say. A certificate
that was valid when the signature claims to have been made is accepted, because papers are checked
for years. pyHanko takes half a second to import and is asked rarely, so it is imported when needed.
"""

# ruff: noqa: PLC0415
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from conference.signatures.models import Verdict

if TYPE_CHECKING:
    from asn1crypto.x509 import Certificate

_log = logging.getLogger(__name__)
_CERTIFICATE_NAMES: Final = ("*.pem", "*.crt", "*.cer")
MAX_SIGNATURES: Final = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One signature."""

    signer: str
    signed_at: datetime | None
    """As the signer's machine claims."""
    verdict: Verdict
    reason: str
    """Vietnamese sentence; empty when valid."""


@dataclass(frozen=True, slots=True)
class Report:
    """The whole file."""

    verdict: Verdict
    findings: tuple[Finding, ...]


def installed_authorities(folder: Path) -> "list[Certificate]":
    """The certificates the administrator put into ``folder``; files that are none are skipped."""
    found = []
    for pattern in _CERTIFICATE_NAMES:
        for path in sorted(folder.glob(pattern)):
            try:
                found += _certificates(path.read_bytes())
            except (OSError, ValueError):
                _log.warning("%s holds no certificate", path)
    return found


def _certificates(content: bytes) -> "list[Certificate]":
    from asn1crypto import pem, x509

    if not pem.detect(content):
        return [x509.Certificate.load(content, strict=True)]
    return [x509.Certificate.load(der) for _, _, der in pem.unarmor(content, multiple=True)]


def check(file: IO[bytes], authorities: "Sequence[Certificate]") -> Report:
    """What the signatures of ``file`` are worth; a file that is no PDF is BROKEN."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        embedded = PdfFileReader(file, strict=False).embedded_signatures
    except Exception as error:  # boundary: a file from outside may break its reader in any way
        _log.info("a PDF cannot be read: %s", error)
        return Report(Verdict.BROKEN, (_broken("Không đọc được tệp PDF."),))
    if not embedded:
        return Report(Verdict.UNSIGNED, ())
    if len(embedded) > MAX_SIGNATURES:
        return Report(Verdict.BROKEN, (_broken("Tệp có quá nhiều chữ ký."),))
    findings = tuple(_finding(one, authorities) for one in embedded)
    return Report(_worst(one.verdict for one in findings), findings)


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    order = [Verdict.BROKEN, Verdict.UNKNOWN, Verdict.VALID]
    return min(verdicts, key=order.index)


def _broken(reason: str) -> Finding:
    return Finding("", None, Verdict.BROKEN, reason)


def _finding(signature: Any, authorities: "Sequence[Certificate]") -> Finding:
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    try:
        claimed = signature.self_reported_timestamp
        context = ValidationContext(
            trust_roots=list(authorities), other_certs=list(authorities), allow_fetching=False,
            revocation_mode="soft-fail", moment=claimed, best_signature_time=claimed,
        )  # fmt: skip
        status = validate_pdf_signature(signature, signer_validation_context=context)
        name = status.signing_cert.subject.native.get("common_name", "")
    except Exception as error:  # boundary: signatures from outside
        _log.info("a signature cannot be checked: %s", error)
        return _broken("Không đọc được chữ ký.")
    when = claimed.astimezone(UTC) if claimed is not None else None
    reason = _fault(status, SignatureCoverageLevel)
    if reason:
        return Finding(str(name), when, Verdict.BROKEN, reason)
    if not status.trusted:
        reason = "Chưa cài chứng thư của tổ chức cấp chữ ký này, hoặc chứng thư hết hạn khi ký."
        return Finding(str(name), when, Verdict.UNKNOWN, reason)
    return Finding(str(name), when, Verdict.VALID, "")


def _fault(status: Any, coverage: Any) -> str:
    """Why the file is not what was signed; empty when it is."""
    if not (status.intact and status.valid):
        return "Nội dung đã bị sửa sau khi ký."
    if status.coverage not in {coverage.ENTIRE_FILE, coverage.ENTIRE_REVISION}:
        return "Chữ ký không bao trùm cả tệp."
    if not status.docmdp_ok:
        return "Tệp bị thêm nội dung sau khi ký."
    return ""
