"""The zip that an upload sends, made from a CSV."""

from __future__ import annotations

import io
import zipfile

LEADS = "Last_Name,Company,Email\nBoyle,Zylker,p@zylker.example\nKay,Zylker,k@zylker.example\n"


def zipped(text: str | bytes = LEADS, name: str = "leads.csv", **others: bytes) -> bytes:
    """A zip with one CSV, and other members by name; its bytes do not depend on the time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, data in {name: text, **others}.items():
            archive.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
