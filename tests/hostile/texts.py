"""CSV text: encodings that lie, line ends, quotes, delimiters, and sizes that no reader expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.hostile.case import Case, Done, Outcome, Rejection
from tests.hostile.tables import Table, Text

MiB = 1024 * 1024
HEAD = "Name,Text,City\n"
BAD = "INVALID_DATA-Text"
ADDED = "ADDED"
NO_CSV = Rejection("create", 400, "FILE_NOT_SUPPORTED", "$.resource[0].file_id")
NO_COLUMN = Rejection(
    "create", 400, "COLUMN_INDEX_NOT_FOUND", "$.resource[0].field_mappings[1].index"
)
NO_CHARSET = Rejection("create", 400, "INVALID_DATA", "$.character_encoding")


def rows(*answers: str, kept: tuple[object, ...] = ()) -> Done:
    """A job with these answers to its rows."""
    return Done(answers, kept, "leads.csv")


def case(
    group: str,
    name: str,
    wrong: str,
    text: Text | Callable[[], Text],
    outcome: Outcome,
    **more: Any,
) -> Case:
    """A case of this module; where values are expected, they are read back."""
    if isinstance(outcome, Done) and outcome.kept:
        more.setdefault("keep", "Description")
    return Case(group, name, wrong, Table(text, **more), outcome)


def encoded(name: str, wrong: str, text: Text, outcome: Outcome, **more: Any) -> Case:
    """A case of encodings."""
    return case("csv encoding", name, wrong, text, outcome, **more)


SIGNS = "Name,Text,City\nAda,Grüße – 你好,Köln\n"
WESTERN = "Name,Text,City\nAda,Müller – Straße,Köln\n"
READ = rows(ADDED, kept=("Grüße – 你好",))
READ_WESTERN = rows(ADDED, kept=("Müller – Straße",))
JAPANESE = "Name,Text,City\nAda,漢字かな,東京\n"

ENCODINGS = [
    encoded("utf8_bom", "A byte order mark stands before the header.", SIGNS.encode("utf-8-sig"),
            READ),
    encoded("utf8_bom_quoted", "A byte order mark stands before a quote.",
            b'\xef\xbb\xbf"Name","Text","City"\n"Ada","x","y"\n', rows(ADDED, kept=("x",))),
    encoded("utf8_double_bom", "Two byte order marks.",
            b"\xef\xbb\xbf" + SIGNS.encode("utf-8-sig"), READ),
    encoded("utf16le_bom", "It is UTF-16, as spreadsheets write it.",
            b"\xff\xfe" + SIGNS.encode("utf-16-le"), READ),
    encoded("utf16be_bom", "It is UTF-16 with its bytes the other way round.",
            b"\xfe\xff" + SIGNS.encode("utf-16-be"), READ),
    encoded("utf16le_nobom", "It is UTF-16, and nothing says so.",
            HEAD.encode("utf-16-le") + "Ada,text,Berlin\n".encode("utf-16-le"),
            rows(ADDED, kept=("text",))),
    encoded("utf16le_nobom_declared", "It is UTF-16 without a mark, as declared.",
            SIGNS.encode("utf-16-le"), READ, encoding="UTF-16LE"),
    encoded("utf16_odd_byte", "UTF-16 that ends in the middle of a character.",
            b"\xff\xfe" + "Name,Text,City\nAda,x,y".encode("utf-16-le") + b"\n",
            rows("INVALID_DATA-City")),
    encoded("utf32le_bom", "It is UTF-32.", b"\xff\xfe\0\0" + SIGNS.encode("utf-32-le"), READ),
    encoded("cp1252_declared", "It is windows-1252, as declared.", WESTERN.encode("cp1252"),
            READ_WESTERN, encoding="windows-1252"),
    encoded("cp1252_undeclared", "It is windows-1252, and nothing says so.",
            WESTERN.encode("cp1252"), READ_WESTERN),
    encoded("shift_jis_declared", "It is Shift JIS, as declared.", JAPANESE.encode("cp932"),
            rows(ADDED, kept=("漢字かな",)), encoding="Shift_JIS"),
    encoded("gb18030_declared", "It is GB 18030, as declared.", SIGNS.encode("gb18030"), READ,
            encoding="GB18030"),
    encoded("declared_utf8_is_cp1252", "It is declared as UTF-8, and is windows-1252.",
            b"Name,Text,City\nAda,M\xfcller,x\nBo,y,z\n", rows(BAD, ADDED), encoding="UTF-8"),
    encoded("declared_ascii_has_utf8", "It is declared as ASCII, and is UTF-8.",
            "Name,Text,City\nAda,Müller,x\nBo,y,z\n", rows(BAD, ADDED), encoding="US-ASCII"),
    encoded("declared_utf16_is_utf8", "It is declared as UTF-16, and is ASCII.",
            HEAD + "Ada,x,y\n", NO_COLUMN, encoding="UTF-16"),
    *(encoded(f"encoding_name_{name}", wrong, HEAD + "Ada,x,y\n", NO_CHARSET, encoding=said)
      for name, wrong, said in (
          ("klingon", "The encoding does not exist.", "klingon"),
          ("zlib_codec", "The encoding is Python's name for a compression.", "zlib_codec"),
          ("hex", "The encoding is Python's name for hexadecimal digits.", "hex"),
          ("rot13", "The encoding is a toy cipher.", "rot13"),
          ("unicode_escape", "The encoding would run backslash escapes.", "unicode_escape"),
          ("idna", "The encoding is that of host names.", "idna"),
          ("utf7", "The encoding hides markup from filters.", "utf-7"),
          ("undefined", "The encoding is one that always fails.", "undefined"),
          ("path", "The encoding is a path.", "../../etc/passwd"),
          ("5000", "The encoding's name is 5,000 characters long.", "x" * 5000),
          ("empty", "The encoding's name is empty.", ""),
          ("fullwidth", "The encoding's name is in full-width letters.", "ＵＴＦ-8"),
      )),
    encoded("invalid_utf8_one_row", "One byte is no UTF-8.",
            "Name,Text,City\nÄda,1,x\nBo,".encode() + b"\xff" + ",y\nÇem,3,z\n".encode(),
            rows(ADDED, BAD, ADDED)),
    encoded("overlong_utf8", "A slash in two bytes, as filters were once walked around.",
            "Name,Text,City\nÄda,1,x\nBo,".encode() + b"..\xc0\xaf" + b",y\n",
            rows(ADDED, BAD), encoding="UTF-8"),
    encoded("cesu8_surrogates", "An emoji as two surrogates of three bytes each.",
            "Name,Text,City\nÄda,1,x\nBo,".encode() + b"\xed\xa0\xbd\xed\xb8\x80,y\n",
            rows(ADDED, BAD), encoding="UTF-8"),
    encoded("lone_surrogate", "Half an emoji.",
            "Name,Text,City\nÄda,1,x\nBo,".encode() + b"\xed\xa0\xbd,y\n", rows(ADDED, BAD),
            encoding="UTF-8"),
    encoded("utf16_lone_surrogate", "Half an emoji in UTF-16.",
            b"\xff\xfe" + "Name,Text,City\nAda,\ud83d,x\nBo,y,z\n".encode(
                "utf-16-le", "surrogatepass"), rows(BAD, ADDED)),
    encoded("beyond_unicode", "A character above the last that there is.",
            b"Name,Text,City\nAda,\xf5\x80\x80\x80,x\nBo,y,z\n", rows(BAD, ADDED),
            encoding="UTF-8"),
    encoded("cut_character", "The file ends in the middle of a character.",
            b"Name,Text,City\nAda,y,z\nBo,\xe2\x82", rows(ADDED, BAD), encoding="UTF-8"),
    encoded("marker_character", "It holds the very character that stands for bad bytes.",
            "Name,Text,City\nAda,\ufdd0,x\nBo,y,z\n", rows(BAD, ADDED)),
]  # fmt: skip


def shaped(
    name: str, wrong: str, text: Text | Callable[[], Text], outcome: Outcome, **more: Any
) -> Case:
    """A case of records and cells."""
    return case("csv shape", name, wrong, text, outcome, **more)


THREE = ("Ada,1,x", "Bo,2,y", "Cem,3,z")
READ_THREE = rows(ADDED, ADDED, ADDED, kept=("1", "2", "3"))


def lines(eol: str, *, last: bool = True) -> str:
    """A sound CSV with these line ends."""
    return eol.join((HEAD.strip(), *THREE)) + eol * last


def delimited(mark: str) -> str:
    """A sound CSV with this delimiter."""
    return lines("\n").replace(",", mark)


def wide(columns: int) -> str:
    """A CSV with this number of columns and one row."""
    cells = [f"c{i}" for i in range(columns)]
    return ",".join(cells) + "\n" + ",".join(cells) + "\n"


SHAPES = [
    shaped("eol_cr", "Lines end as on the oldest Macs.", lines("\r"), READ_THREE),
    shaped("eol_crlf", "Lines end as on Windows.", lines("\r\n"), READ_THREE),
    shaped("eol_mixed", "Every line ends in another way.",
           "Name,Text,City\r\nAda,1,x\nBo,2,y\rCem,3,z\r\n", READ_THREE),
    shaped("no_final_eol", "The last line does not end.", lines("\n", last=False), READ_THREE),
    shaped("blank_lines", "Blank lines between the rows.",
           "\n\nName,Text,City\n\nAda,1,x\n\r\n\nBo,2,y\n\n\nCem,3,z\n\n", READ_THREE),
    shaped("blank_cells_line", "A line of nothing but delimiters.", HEAD + ",,\nBo,2,y\n",
           rows("MANDATORY_NOT_FOUND-Name", ADDED)),
    shaped("million_newlines", "A million line ends and no row.",
           lambda: HEAD + "\n" * 1_000_000, rows()),
    shaped("embedded_newlines", "Line ends of all kinds within quotes.",
           HEAD + '"Ada","1\n2\r\n3\r4",x\nBo,5,y\n',
           rows(ADDED, ADDED, kept=("1\n2\r\n3\r4", "5"))),
    shaped("embedded_quotes", "Quotes within quotes.", HEAD + 'Ada,"say ""hi"", twice",x\n',
           rows(ADDED, kept=('say "hi", twice',))),
    shaped("unicode_line_seps", "Characters that Python's splitlines takes for line ends.",
           HEAD + "Ada,a\u2028b\u2029c\x0bd\x0ce\x1cf\x85g,x\n",
           rows(ADDED, kept=("a\u2028b\u2029c\x0bd\x0ce\x1cf\x85g",))),
    shaped("ctrl_z", "The end-of-file character of DOS in the middle.",
           HEAD + "Ada,1\x1a2,x\nBo,3,y\x1a\n", rows(ADDED, ADDED, kept=("1\x1a2", "3"))),
    shaped("quote_in_unquoted", "A quote in a cell without quotes.",
           HEAD + 'Ada,5" disk,x\nBo,2,y\n', rows(ADDED, ADDED, kept=('5" disk', "2"))),
    shaped("text_after_quote", "Text behind a closing quote.", HEAD + 'Ada,"a"b,x\nBo,2,y\n',
           rows(ADDED, ADDED, kept=('"a"b', "2"))),
    shaped("unterminated_quote", "A quote that is never closed.",
           HEAD + 'Ada,1,x\nBo,"2,y\nCem,3,z\n', rows(ADDED, ADDED, ADDED, kept=("1", '"2', "3"))),
    shaped("unterminated_header_quote", "A quote in the header that is never closed.",
           'Name,"Text,City\nAda,1,x\nBo,2,y\n', rows(ADDED, ADDED, kept=("1", "2"))),
    shaped("backslash_escape", "Quotes escaped with backslashes.",
           HEAD + 'Ada,"a\\"b",x\nBo,2,y\n', rows(ADDED, ADDED, kept=('"a\\"b"', "2"))),
    shaped("only_quotes", "A line of a thousand quotes.", HEAD + '"' * 1000 + "\nBo,2,y\n",
           rows("INVALID_DATA-Name", ADDED)),
    shaped("nul_bytes", "NUL within a cell.", HEAD + "Ada,1\x002,x\nBo,2,y\n", rows(BAD, ADDED)),
    shaped("nul_in_header", "NUL within the header.", "Na\0me,Text,City\nAda,1,x\n", NO_CSV),
    shaped("control_characters", "Every other control character.",
           HEAD + 'Ada,"' + "".join(map(chr, range(1, 32))) + '",x\n',
           rows(ADDED, kept=("".join(map(chr, range(1, 32))),))),
    shaped("ragged_short", "Rows with too few cells.", HEAD + "Ada\nBo,2\n", rows(ADDED, ADDED)),
    shaped("ragged_long", "Rows with too many cells.",
           HEAD + "Ada,1,x,more\nBo,2,y,\nCem,3,z,,,,more\n",
           rows("INVALID_DATA-City", ADDED, "INVALID_DATA-City")),
    shaped("only_header", "There is no row.", HEAD, rows()),
    shaped("header_no_eol", "There is a header without a line end.", HEAD.strip(), rows()),
    shaped("only_bom", "There is a byte order mark and nothing else.", b"\xef\xbb\xbf", NO_CSV),
    shaped("only_newline", "There is a line end and nothing else.", "\n", NO_CSV),
    shaped("no_header", "The first line is a row; it is taken for the header.",
           "Ada,1,x\nBo,2,y\n", rows(ADDED, kept=("2",))),
    shaped("dup_headers", "All columns have one name.", "a,a,a\nAda,1,x\n",
           rows(ADDED, kept=("1",))),
    shaped("empty_header_cells", "The columns have no names.", ",,\nAda,1,x\n",
           rows(ADDED, kept=("1",))),
    shaped("header_whitespace", "Blanks and line ends in the names of columns.",
           '" Name ","Te\nxt","\tCity"\nAda,1,x\n,2,y\n',
           rows(ADDED, "MANDATORY_NOT_FOUND-Name", kept=("1",))),
    shaped("header_html_formula", "The names of columns are markup and formulas.",
           '=1+1,<script>alert(1)</script>,"@x"\n,1,x\nBo,2,y\n',
           rows("MANDATORY_NOT_FOUND-=1+1", ADDED, kept=("2",))),
    shaped("delim_semicolon", "Semicolons stand between the cells.", delimited(";"), READ_THREE),
    shaped("delim_colon", "Colons stand between the cells.", delimited(":"), READ_THREE),
    shaped("delim_pipe", "Bars stand between the cells.", delimited("|"), READ_THREE),
    shaped("delim_tab", "Tabs stand between the cells, which are not supported.",
           delimited("\t"), NO_CSV),
    shaped("delim_ambiguous", "The header has as many semicolons as commas.",
           "Name;a,Text;b,City\nAda,1,x\n", rows(ADDED, kept=("1",))),
    shaped("delim_in_quoted_header", "Most delimiters of the header are within quotes.",
           'Name;"a,b,c,d,e";City\nAda;1;x\n', rows(ADDED, kept=("1",))),
    shaped("one_column", "There is one column, and three are mapped.", "Name\nAda\n", NO_COLUMN),
    shaped("cell_32000_ok", "A cell as long as its field.",
           lambda: HEAD + f"Ada,{'x' * 32_000},y\n", rows(ADDED)),
    shaped("cell_32001", "A cell one character longer than its field.",
           lambda: HEAD + f"Ada,{'x' * 32_001},y\nBo,2,y\n", rows(BAD, ADDED)),
    shaped("cell_200k", "A cell beyond the limit of Python's csv module.",
           lambda: HEAD + f"Ada,{'x' * 200_000},y\nBo,2,y\n", rows(BAD, ADDED)),
    shaped("cell_quoted_200k", "A quoted cell beyond the limit of Python's csv module.",
           lambda: HEAD + f'Ada,"{"x" * 200_000}",y\nBo,2,y\n', rows(BAD, ADDED)),
    shaped("cell_10mb", "A cell of 10 MB.",
           lambda: HEAD + f"Ada,{'x' * 10_000_000},y\nBo,2,y\n",
           rows("INVALID_DATA-Text,City", ADDED)),
    shaped("cell_10mb_quoted", "A quoted cell of 10 MB with a line end in it: two damaged lines.",
           lambda: HEAD + f'Ada,"{"x" * 5_000_000}\n{"x" * 5_000_000}",y\nBo,2,y\n',
           rows("INVALID_DATA-Text,City", "INVALID_DATA-Name,City", ADDED)),
    shaped("line_20mb", "A line of ten million cells.",
           lambda: HEAD + "Ada," + "1," * 10_000_000 + "\nBo,2,y\n",
           rows("INVALID_DATA-City", ADDED)),
    shaped("header_20mb", "A header of 20 MB.", lambda: "x" * 20_000_000 + "\nAda\n", NO_CSV),
    shaped("cols_200", "As many columns as a job may have.", lambda: wide(200), rows(ADDED)),
    shaped("cols_201", "One column too many.", lambda: wide(201),
           Rejection("create", 400, "HEADER_LIMIT_EXCEEDED")),
    shaped("cols_5000", "Five thousand columns.", lambda: wide(5000),
           Rejection("create", 400, "HEADER_LIMIT_EXCEEDED")),
    shaped("cols_1m", "A million cells in one row.",
           lambda: HEAD + "x," * 1_000_000 + "\nBo,2,y\n",
           rows("INVALID_DATA-City", ADDED)),
    shaped("rows_25000", "As many rows as a job may have.",
           lambda: HEAD + "Ada,1,x\n" * 25_000, rows(*[ADDED] * 25_000)),
    shaped("rows_25001", "One row too many.", lambda: HEAD + "Ada,1,x\n" * 25_001,
           Rejection("create", 400, "LIMIT_EXCEEDED")),
    shaped("quotes_left_open", "Every second row opens a quote that it does not close.",
           lambda: HEAD + 'Ada,"1,x\nBo,2,y\n' * 200, rows(*[ADDED] * 400)),
]  # fmt: skip


def written(name: str, wrong: str, *cells: str) -> Case:
    """Cells that are stored as they are."""
    text = HEAD + "".join('Ada,"{}",x\n'.format(c.replace('"', '""')) for c in cells)
    return case("csv text", name, wrong, text, rows(*[ADDED] * len(cells), kept=cells))


TEXTS = [
    written("right_to_left", "Text from right to left, and text that pretends to be.",
            "عربى", "\u200eمرحبا", "\u202etxt.exe", "\u2066x\u2069"),
    written("joined_emoji", "Characters of many code points.",
            "\U0001f469\u200d\U0001f469\u200d\U0001f467", "a" + "\u0301" * 120, "🏳️‍🌈"),
    written("markup", "Markup and templates.", "<script>alert(1)</script>", "<b>&amp;</b>",
            "{{7*7}}", "${7*7}", "${jndi:ldap://x}", "<!--#exec cmd=\"ls\"-->"),
    written("sql", "SQL.", "'; DROP TABLE x; --", "Robert'); --", "%s %d ? :x $1"),
    written("copy_markers", "What ends or means nothing in dumps of databases.", "\\.", "\\N",
            "NULL", "null", "\\", "\\\\x00"),
    written("formulas", "Formulas of spreadsheets.", "=1+1", "+cmd|' /C calc'!A0", "-2+3",
            "@SUM(1)", " =1", "\u00a0=1", "\t=1", "x\n=1", "＝1"),
    written("blanks", "Blanks of all kinds, and what looks empty.", " ", "\u00a0", "\u3000",
            "\u200b", "\ufeff", "  x  "),
    written("noncharacters", "The last code points of their planes.", "\uffff", "\U0001ffff",
            "\ufffd", "\ue000"),
    case("csv text", "formula_as_key",
         "A record is to be found by a formula, which is no address.",
         "Name,Text,Mail\nAda,new,=1@x.example\n",
         rows("INVALID_DATA-Mail"), fields=("Last_Name", "Description", "Email"),
         operation="upsert", find_by="Email"),
    case("csv text", "markup_in_name", "The mandatory field is markup.",
         "Name,Text,City\n<img src=x onerror=alert(1)>,1,x\n",
         rows(ADDED, kept=("<img src=x onerror=alert(1)>",)), keep="Last_Name"),
]  # fmt: skip

CASES = [*ENCODINGS, *SHAPES, *TEXTS]
