"""DOCX to PDF by LibreOffice, where it is installed: what an office laid out itself stays as it is.

Our own papers need no suite (`pdf`). The suite runs with a profile of its own in a temporary folder
and is stopped after a minute. Where Times New Roman is not installed it prints with the metric
equivalent that travels with the program, which has all Vietnamese letters.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from conference.documents.pdf import FONTS

TIMEOUT_S: Final = 60


_FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <cachedir>{cache}</cachedir>
  <!-- the suite's own substitute for Times New Roman lacks Vietnamese letters -->
  <selectfont><rejectfont><pattern>
    <patelt name="family"><string>Liberation Serif</string></patelt>
  </pattern></rejectfont></selectfont>
  <alias binding="same"><family>Times New Roman</family><prefer>
    <family>Times New Roman</family><family>Tinos</family>
  </prefer></alias>
</fontconfig>
"""


class ConversionError(Exception):
    """The suite is missing, or did not make a PDF of this file."""


def find() -> str | None:
    """Path of the suite's program, or None."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def to_pdf(docx: bytes) -> bytes:
    """The PDF of a DOCX file. Raises ConversionError."""
    program = find()
    if program is None:
        raise ConversionError("LibreOffice is not installed")
    with tempfile.TemporaryDirectory(prefix="diemcau-pdf-") as name:
        folder = Path(name)
        source = folder / "paper.docx"
        source.write_bytes(docx)
        fonts = folder / "fonts.conf"
        fonts.write_text(_FONTS.format(fonts=FONTS, cache=folder / "cache"), encoding="utf-8")
        command = [
            program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--norestore",
            "--convert-to", "pdf", "--outdir", str(folder), str(source),
        ]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - our own words only
                command,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
                cwd=folder,
                env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            raise ConversionError(str(error)) from error
        made = folder / "paper.pdf"
        if not made.exists():
            raise ConversionError(done.stderr.decode(errors="replace")[-300:] or "no PDF was made")
        return made.read_bytes()
