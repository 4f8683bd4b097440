"""The inputs from which each target is fuzzed, made here so that they are readable.

Inputs that a long run finds are added here, so that every short run tries them.
"""

from __future__ import annotations

import io
import json
import zipfile

LEADS = 'Last_Name,Company,City\nBoyle,Zylker,"two\nlines"\nKay,"a ""b""",Zürich\n'
BOUNDARY = b"frontier"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip that does not depend on when it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def form(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body."""
    made = [
        b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n"
        % (BOUNDARY, head.encode(), data)
        for head, data in parts
    ]
    return b"".join(made) + b"--%b--\r\n" % BOUNDARY


_MAPPINGS = [
    {"api_name": "Last_Name", "index": 0, "default_value": {"value": "x"}},
    {"api_name": "When", "index": 1, "format": "dd.MM.yyyy HH:mm"},
    {"api_name": "Sum", "index": 2, "format": "#,##0.00"},
    {"api_name": "Account", "index": 1, "find_by": "Name", "parent_column_index": 0},
]
_JOB = {
    "operation": "upsert",
    "character_encoding": "UTF-8",
    "callback": {"url": "https://hook.example/x", "method": "post"},
    "resource": [
        {
            "type": "data",
            "module": {"api_name": "Leads"},
            "file_id": "111111000000001001",
            "find_by": "Email",
            "ignore_empty": True,
            "field_mappings": _MAPPINGS,
        }
    ],
}

SEEDS: dict[str, list[bytes]] = {
    "zip": [
        zipped(("leads.csv", LEADS.encode())),
        zipped(("a/ü.CSV", b"a\n1\n"), ("__MACOSX/._a.csv", b"\0"), ("b.txt", b"b")),
        zipped(("s.csv", LEADS.encode()), method=zipfile.ZIP_STORED),
        zipped(),
        b"PK\x05\x06" + bytes(18),
    ],
    "csv": [
        b"\0" + LEADS.encode(),
        b"\1" + LEADS.encode("utf-16"),
        b'\2a;b\r\n1;"x\r\ny"\r\n\r\n3;4;5\r\n',
        b'\3a|b\r1|"2\r3|4\r',
        b'\4\xef\xbb\xbfa,b\n"x"y",2\n"never closed,3\n4,5\n',
    ],
    "charset": [
        LEADS.encode(),
        LEADS.encode("utf-16-le"),
        LEADS.encode("utf-32"),
        "Привет, мир: как дела?".encode("koi8_r"),
        "日本語のテキスト、句読点。".encode("cp932"),
        "Müller, Größe, Straße".encode("cp1252"),
        b"\xff\xfe\x00\xd8 \x00",
    ],
    "number": [
        b"\0" + "12|-1,234.50|+7|1_000|１２|1e5|.5|00012|NaN|".encode(),
        b"\1#,##0.00\n1,234.50|1.5|7",
        b"\2#.##0,0\n1.234,5|-3",
        b"\3999999999|1000000000|-0",
    ],
    "date": [
        b"\0\n2024-02-29|02/29/2023|20240229|2024-W01-1|0000-01-01",
        b"\1\n2024-03-10T02:30:00|11/03/2024 01:30:00|2024-01-01T00:00:00.5+14:00",
        b"\1\n9999-12-31T23:59-01|0001-01-01T00:00+14:00",
        b"\1yyyy/MM/dd hh:mm a z\n2024/1/2 12:00 am +05:30",
        b"\1d MMM yyyy 'at' H.mm.ss.SSS\n1 Feb 2024 at 3.04.05.678",
        b"\0EEEE, d MMMM yy\nMonday, 1 January 24",
        b"\0yyyyDDD\n2024366",
        b"\1d MMM yyyy a H.mm\n1 Feb 2024 AM 3.04",
    ],
    "text": [
        b"\0p.boyle@zylker.example|@|a@b.c|" + "ü@münchen.de".encode(),
        b"\1+1 (555) 010-99|--",
        b"\2https://zylker.example:8080/x?y#z|zylker|a..b",
        b'\3a;b;;a;"\\\x01',
        b"\4true|FALSE| True |1",
        b"\x05  Stra\xc3\x9fe |\xe1\xba\x9e|\xcc\x81",
    ],
    "body": [json.dumps(_JOB).encode(), b"{}", b'{"operation":"insert","resource":[]}', b"[" * 50],
    "coql": [
        b"select id from Leads where id is not null",
        b"select Last_Name as 'N', SUM(Annual_Revenue) from Leads where ((City like '%B''n%' and "
        b"No_of_Employees not between 5 and -7.5) or Owner.id in ('1', 2)) group by Last_Name "
        b"order by N desc, SUM(Annual_Revenue) asc limit 10 offset 20",
        'SELECT "Last_Name" FROM Leads#1 WHERE Größe <> 2024-02-29T09:00:00+01:00'.encode(),
        b"(" * 2_000 + b"select id from Leads where " + b"(" * 2_000,
        b"select id from Leads where id in (" + b"1," * 2_000 + b"1)",
        b"select id from Leads where Last_Name = '" + b"'" * 2_001,
    ],
    "mapping": [json.dumps(_MAPPINGS).encode(), b"[]", b'[{"api_name":"id","index":0}]'],
    "multipart": [
        form(('name="file"; filename="leads.zip"', zipped(("a.csv", b"a\n1\n")))),
        form(('name="x"', b"1"), ('name="file"; filename="\\"ü"', b"PK")),
        b"--\r\n\r\n",
        b"",
    ],
    "redirect": [
        b"client_id=1&response_type=code&scope=ZohoCRM.bulk.ALL&access_type=offline&state=x"
        b"&redirect_uri=https://app.example/back",
        b"client_id=1&response_type=code&scope=a&redirect_uri=https://app.example/back/",
        b"client_id=1&redirect_uri=https%3A%2F%2Fapp.example%2Fback%00&state=%ed%a0%80",
    ],
    "callback": [
        b"https://hook.example:8443/a?b=c",
        b"http://127.1/",
        b"http://[::ffff:127.0.0.1]:80/",
        b"http://user@hook.example\\@127.0.0.1/",
        b"http://0x7f.1/",
        "http://ⓛocalhost。/".encode(),
    ],
    "address": [
        bytes([127, 0, 0, 1]),
        bytes([100, 64, 0, 1]),
        b"\0" * 10 + b"\xff\xff\x7f\0\0\1",
        b"\x00\x64\xff\x9b" + bytes(8) + b"\x0a\0\0\1",
        b"\x20\x02\x7f\0\0\1" + bytes(10),
        b"::ffff:0:127.0.0.1",
    ],
}
"""By target."""
