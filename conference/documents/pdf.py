"""A paper as PDF, set by typst from ``templates/van_ban.typ``.

The face is one that travels with the program and holds all Vietnamese letters, so a paper looks
the same on every machine; fonts of the system are ignored. The time of making is an input: the same
paper gives the same file. PDF/A-2b is what archives keep (ISO 19005-2).
"""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

import typst

from conference.documents.paper import MOTTO, NATION, Paper

TEMPLATE: Final = Path(__file__).parent / "templates" / "van_ban.typ"
FONTS: Final = Path(__file__).parent / "templates" / "fonts"


def document(paper: Paper, at: datetime) -> bytes:
    """The PDF file of ``paper``; ``at`` is written as its time of making."""
    values = {**asdict(paper), "nation": NATION, "motto": MOTTO}
    made = typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        font_paths=[FONTS] if FONTS.is_dir() else [],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"paper": json.dumps(values, ensure_ascii=False)},
        pdf_standards=["a-2b"],
        timestamp=int(at.timestamp()),
    )
    assert isinstance(made, bytes)  # one file for all pages
    return made
