"""The zip that an upload sends, made from a CSV."""

from __future__ import annotations

import io
import zipfile

LEADS = "Last_Name,Company,Email\nBoyle,Zylker,p@zylker.example\nKay,Zylker,k@zylker.example\n"


def zipped(text: str | bytes = LEADS, name: str = "leads.csv", **others: bytes) -> bytes:
    """A zip with one CSV, and other members by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
        for other, data in others.items():
            archive.writestr(other, data)
    return buffer.getvalue()
