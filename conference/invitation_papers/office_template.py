"""An office's own DOCX layout: check what is uploaded, fill it in.

Fields are written in the text of the file, ``{{ so_ky_hieu }}``, lists with ``{%p for … %}`` on a
line of its own (docxtpl). `starting_template` is the decree's layout with every field in its
place, to be edited in any word processor. Expressions run in Jinja's sandbox: no attributes that
begin with an underscore, no imports, bounded ranges.
"""

import zipfile
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from docx import Document
from docxtpl import DocxTemplate
from jinja2 import ChainableUndefined, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from conference.documents import word
from conference.documents.paper import Issuer, Paper, Paragraph, Signature
from conference.errors import InvalidError
from conference.invitation_papers.models import PaperKind
from conference.invitation_papers.wording import KIND_WORDS, Text, subject, time_text
from conference.scheduling.models import Meeting

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_UNPACKED: Final = 30 * 1024 * 1024
MAX_PARTS: Final = 500
FIELDS: Final = {
    "co_quan_chu_quan": "cơ quan chủ quản, chữ in hoa",
    "co_quan": "cơ quan ban hành, chữ in hoa",
    "ten_co_quan": "cơ quan ban hành",
    "so_ky_hieu": "dòng “Số: …”",
    "dia_danh_ngay": "địa danh, ngày tháng năm",
    "loai": "GIẤY MỜI hoặc THÔNG BÁO",
    "trich_yeu": "trích yếu",
    "kinh_moi": "danh sách nơi được mời (dùng trong vòng lặp)",
    "noi_dung": "tên cuộc họp",
    "chu_tri": "chủ trì",
    "thoi_gian": "thời gian",
    "dia_diem": "danh sách điểm cầu (dùng trong vòng lặp)",
    "yeu_cau": "danh sách yêu cầu (dùng trong vòng lặp)",
    "dau_moi": "đầu mối liên hệ",
    "quyen_han": "quyền hạn, chức vụ người ký, từng dòng (dùng trong vòng lặp)",
    "nguoi_ky": "họ tên người ký",
    "noi_nhan": "nơi nhận (dùng trong vòng lặp)",
}
"""Names of the fields and what they hold; the page lists them."""


def values(
    issuer: Issuer, meeting: Meeting, text: Text, paper: Paper, to: list[str]
) -> dict[str, Any]:
    """What the fields hold for one paper."""
    chair = meeting.chair
    return {
        "co_quan_chu_quan": paper.parent_name,
        "co_quan": paper.issuer,
        "ten_co_quan": issuer.name,
        "so_ky_hieu": paper.number,
        "dia_danh_ngay": paper.place_date,
        "loai": paper.kind,
        "trich_yeu": subject(text.kind, meeting.title),
        "kinh_moi": to,
        "noi_dung": meeting.title,
        "chu_tri": ", ".join(filter(None, [chair.full_name, chair.title])),
        "thoi_gian": time_text(meeting),
        "dia_diem": _lines(text.places),
        "yeu_cau": _lines(text.requirements),
        "dau_moi": text.contact,
        "quyen_han": _lines(text.authority),
        "nguoi_ky": text.signer,
        "noi_nhan": _lines(text.recipients),
    }


def render(content: bytes, fields: dict[str, Any]) -> bytes:
    """The filled DOCX. Raises InvalidError when the template cannot be filled."""
    return _filled(content, fields, is_strict=False)


def checked(content: bytes) -> bytes:
    """``content`` if it is a DOCX template that can be filled. Raises InvalidError with why not."""
    if not content:
        raise InvalidError({"file": "Chọn tệp DOCX."})
    if len(content) > MAX_BYTES:
        raise InvalidError({"file": "Tệp mẫu lớn quá 2 MB."})
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise InvalidError({"file": "Tệp mẫu giải nén quá lớn."})
            names = {part.filename for part in parts}
    except zipfile.BadZipFile as error:
        raise InvalidError({"file": "Tệp không phải văn bản DOCX."}) from error
    if "word/document.xml" not in names or "word/vbaProject.bin" in names:
        raise InvalidError({"file": "Tệp không phải văn bản DOCX, hoặc có macro."})
    sample: dict[str, Any] = {
        name: ["Một", "Hai"] if "vòng lặp" in words else name for name, words in FIELDS.items()
    }
    _filled(content, sample, is_strict=True)
    return content


def starting_template(kind: PaperKind, at: datetime) -> bytes:
    """The decree's layout with the fields in their places."""

    def each(name: str, line: str) -> list[Paragraph]:
        return [
            Paragraph("{%p for dong in " + name + " %}"),
            Paragraph(line, is_item=True),
            Paragraph("{%p endfor %}"),
        ]

    opening = "{{ ten_co_quan }} trân trọng kính mời:"
    closing = "Kính mời các đại biểu về dự đúng thành phần, thời gian./."
    if kind is PaperKind.NOTICE:
        opening = "{{ ten_co_quan }} thông báo tổ chức cuộc họp, thành phần gồm:"
        closing = "Thông báo này thay cho giấy mời./."
    body = [
        Paragraph("", lead=opening),
        *each("kinh_moi", "- {{ dong }};"),
        Paragraph("{{ noi_dung }}.", lead="Nội dung:"),
        Paragraph("{{ chu_tri }}.", lead="Chủ trì:"),
        Paragraph("{{ thoi_gian }}.", lead="Thời gian:"),
        Paragraph("Họp trực tuyến.", lead="Hình thức:"),
        Paragraph("", lead="Địa điểm:"),
        *each("dia_diem", "{{ dong }}"),
        Paragraph("", lead="Yêu cầu:"),
        *each("yeu_cau", "{{ dong }}"),
        Paragraph("{{ dau_moi }}.", lead="Đầu mối liên hệ:"),
        Paragraph(closing),
    ]
    paper = Paper(
        kind="{{ loai }}",
        parent_name="{{ co_quan_chu_quan }}",
        issuer="{{ co_quan }}",
        number="{{ so_ky_hieu }}",
        title="{{ trich_yeu }}",
        body=tuple(body),
        right=Signature(
            ("{%p for dong in quyen_han %}", "{{ dong }}", "{%p endfor %}"), "{{ nguoi_ky }}"
        ),
        recipients=("{%p for dong in noi_nhan %}", "{{ dong }}", "{%p endfor %}"),
        place_date="{{ dia_danh_ngay }}",
    )
    made = Document(BytesIO(word.document(paper, at)))
    made.core_properties.title, made.core_properties.author = KIND_WORDS[kind], ""
    file = BytesIO()
    made.save(file)
    return file.getvalue()


def _filled(content: bytes, fields: dict[str, Any], *, is_strict: bool) -> bytes:
    undefined = StrictUndefined if is_strict else ChainableUndefined
    environment = SandboxedEnvironment(autoescape=True, undefined=undefined)
    made = BytesIO()
    try:
        template = DocxTemplate(BytesIO(content))
        template.render(fields, environment, autoescape=True)
        template.save(made)
    except TemplateError as error:
        sentence = f"Mẫu có trường không dùng được: {error.message or type(error).__name__}."
        raise InvalidError({"file": sentence}) from error
    except Exception as error:  # the libraries raise what they like for a broken file
        raise InvalidError({"file": "Không đọc được tệp mẫu."}) from error
    return made.getvalue()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
