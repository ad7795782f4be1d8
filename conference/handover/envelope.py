"""What the document system is told of a paper: plain metadata, and the same named as edXML does.

The document system stays the master: it numbers, signs and sends. What is handed over is a ZIP: one
folder for each paper with its DOCX and PDF, ``metadata.json`` with everything, and ``edxml.xml``
with the header fields of the exchange format (QCVN 102:2016/BTTTT: From, To, Code, Promulgation,
Document, SignerInfo), from which a gateway makes its message. It is *ready for* edXML, not a
complete message: sender and receiver identifiers beyond those we know are the gateway's. Pure.
"""

import hashlib
import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class HandedFile:
    """One file of a paper."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Digest, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Receiver:
    """A unit the paper goes to; the code is empty when none is known."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One paper as it is handed over."""

    kind: str
    """Abbreviation of the decree's Annex III: GM, TB."""
    kind_name: str
    number: str
    symbol: str
    """Whole code as printed: ``05/GM-VPUBND``."""
    subject: str
    organ: str
    place: str
    issued_on: date | None
    signer: str
    authority: str
    receivers: tuple[Receiver, ...]
    meeting_id: int
    meeting_title: str
    starts_at: datetime
    made_at: datetime


def metadata(envelope: Envelope, files: tuple[HandedFile, ...]) -> bytes:
    """``metadata.json``: every field, and name, size and SHA-256 of each file."""
    values: dict[str, Any] = asdict(envelope)
    values["issued_on"] = envelope.issued_on.isoformat() if envelope.issued_on else None
    values["starts_at"] = envelope.starts_at.isoformat()
    values["made_at"] = envelope.made_at.isoformat()
    values["files"] = [
        {"name": one.name, "bytes": len(one.content), "sha256": one.sha256} for one in files
    ]
    return json.dumps(values, ensure_ascii=False, indent=2).encode()


def header(envelope: Envelope, files: tuple[HandedFile, ...]) -> bytes:
    """``edxml.xml``: the header's fields under their names in the exchange format."""
    root = ET.Element("MessageHeader")
    sender = ET.SubElement(root, "From")
    _field(sender, "OrganName", envelope.organ)
    for one in envelope.receivers:
        receiver = ET.SubElement(root, "To")
        _field(receiver, "OrganId", one.code)
        _field(receiver, "OrganName", one.name)
    code = ET.SubElement(root, "Code")
    _field(code, "CodeNumber", envelope.number)
    _field(code, "CodeNotation", envelope.symbol.partition("/")[2])
    promulgation = ET.SubElement(root, "PromulgationInfo")
    _field(promulgation, "Place", envelope.place)
    issued = envelope.issued_on.strftime("%d/%m/%Y") if envelope.issued_on else ""
    _field(promulgation, "PromulgationDate", issued)
    document = ET.SubElement(root, "DocumentType")
    _field(document, "TypeName", envelope.kind_name)
    _field(root, "Subject", envelope.subject)
    signer = ET.SubElement(root, "SignerInfo")
    _field(signer, "Competence", envelope.authority)
    _field(signer, "FullName", envelope.signer)
    manifest = ET.SubElement(root, "Manifest")
    for file in files:
        entry = ET.SubElement(manifest, "Reference")
        _field(entry, "AttachmentName", file.name)
        _field(entry, "Digest", file.sha256)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _field(parent: ET.Element, name: str, text: str) -> None:
    # XML 1.0 has no control characters but tab and line ends
    ET.SubElement(parent, name).text = "".join(c for c in text if c >= " " or c in "\t\n")
