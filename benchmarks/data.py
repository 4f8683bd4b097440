"""The files that the benchmarks load: leads by the million, the same ones on every machine.

Each cell is a function of the row's number and a salt, computed with integer arithmetic only, so
that neither a random generator nor a library version changes a byte. Addresses are unique; two
generations of a file have the same addresses and other values, so that an update changes something.

    python benchmarks/data.py [--rows N] [--columns 16|20] [--bad FRACTION] [--generation N]
                              [--first N] [--step N] [--zip] [--dir DIR]

prints the path of the file, and makes it only where it is missing.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

VERSION = 1
"""Part of every file name: raise it with any change of content."""

BLOCK = 100_000
"""Rows made at a time."""


def _words(text: str) -> list[str]:
    return text.split()


COLUMNS_16 = _words(
    "Email Last_Name First_Name Company Designation Phone Website Lead_Source Lead_Status Industry "
    "Annual_Revenue No_of_Employees Email_Opt_Out Street City Description"
)
COLUMNS_20 = [*COLUMNS_16, "State", "Zip_Code", "Country", "Rating"]
COLUMNS = {16: COLUMNS_16, 20: COLUMNS_20}

FIRST = _words(
    "Anna Björn Carla Dmitri Elif Farid Grace Hanna Ivo Jana Kofi Lucía Mehmet Nadia Ole Priya "
    "Quentin Rosa Seán Tomáš Uma Viktor Wanda Xenia Yusuf Zoë Akira Beatriz Chidi Dalia Emil Fátima"
)
LAST = _words(
    "Abbott Baumann Castillo Dvořák Eriksen Ferrari García Haddad Ivanov Jensen Kowalski Lefèvre "
    "Moreau Nguyen O'Brien Petrov Quispe Rossi Schäfer Tanaka Ueda Varga Weiß Xu Yıldız Zhang "
    "Almeida Bergström Chopra Diallo Eze Fischer Gruber Hughes Ionescu Johansson"
)
PLAIN_FIRST = _words(
    "anna bjorn carla dmitri elif farid grace hanna ivo jana kofi lucia mehmet nadia ole priya "
    "quentin rosa sean tomas uma viktor wanda xenia yusuf zoe akira beatriz chidi dalia emil fatima"
)
FIRM_A = _words(
    "Northwind Kestrel Bluewater Harbour Summit Cedar Granite Meridian Falcon Juniper Lumen "
    "Orchard Pinnacle Quarry Redwood Sterling Tidewater Umber Vertex Willow"
)
FIRM_B = _words("Optics Freight Systems Textiles Foods Networks Storage Metals Paper Energy")
FIRM_C = (
    " GmbH",
    " Ltd",
    " LLC",
    " S.A.",
    " AB",
    " Pty",
    " BV",
    " & Sons",
    ", Inc.",
    ' "Export" AG',
)
TITLES = (
    "Managing Director",
    "Head of Procurement",
    "IT Manager",
    "Warehouse Lead",
    "Chief Accountant",
    "Sales Representative",
    "Plant Engineer",
    "Office Manager",
)
SOURCES = (
    "Advertisement",
    "Cold Call",
    "Employee Referral",
    "External Referral",
    "Online Store",
    "Partner",
    "Public Relations",
    "Trade Show",
    "Web Download",
    "Web Research",
    "Chat",
)
STATUSES = (
    "Attempted to Contact",
    "Contact in Future",
    "Contacted",
    "Junk Lead",
    "Lost Lead",
    "Not Contacted",
    "Pre-Qualified",
    "Not Qualified",
)
INDUSTRIES = (
    "ASP (Application Service Provider)",
    "Data/Telecom OEM",
    "Government/Military",
    "Large Enterprise",
    "Optical Networking",
    "Service Provider",
    "Small/Medium Enterprise",
    "Storage Equipment",
    "Systems Integrator",
    "Wireless Industry",
)
RATINGS = ("Acquired", "Active", "Market Failed", "Project Cancelled", "Shut Down")
STREETS = (
    "Mill Lane",  # codespell:ignore lane
    "Station Road",
    "Hafenstraße",
    "Rue du Marché",
    "Calle Mayor",
    "Kungsgatan",
)
CITIES = (
    "Łódź",
    "München",
    "São Paulo",
    "Leeds",
    "Αθήνα",
    "Київ",
    "Portland",
    "Göteborg",
    "東京",
    "Nîmes",
)
STATES = ("Bavaria", "Oregon", "Yorkshire", "Skåne", "Attica", "Mazovia", "Occitanie")
COUNTRIES = ("Germany", "United States", "Great Britain", "Sweden", "Greece", "Poland", "France")
NOTES = (
    None,
    None,
    None,
    None,
    "Asked for an offer, twice.",
    'Says the current system "loses orders".',
    "Call back after the summer, not before 10:00.",
    "Contract with a competitor until September;\nsend the comparison in August.",
    "Wants to import 40,000 records from a spreadsheet.",
    "Met at the trade show.",
)


NOT_A_NUMBER = "about 40"
TOO_LARGE = "98000000000000000000"
NOT_A_BOOLEAN = "unsubscribed"
NO_AT = "(at)"
"""Cells of bad rows; the others lack their Last_Name."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Which file: everything that its content depends on."""

    rows: int = 1_000_000
    columns: int = 16
    bad: float = 0.0
    """Fraction of rows that a validating service must refuse, from 0 to 1."""
    generation: int = 0
    """Files of two generations have the same addresses and other values."""
    first: int = 0
    """Number of the first row. Files whose numbers do not overlap share no address."""
    step: int = 1
    """From the number of one row to that of the next: a sparse choice from a larger file."""

    @property
    def stem(self) -> str:
        """The file's name without its suffix."""
        bad = f"-bad{self.bad:g}" if self.bad else ""
        chosen = f"-f{self.first}-s{self.step}" if (self.first, self.step) != (0, 1) else ""
        return f"leads-v{VERSION}-{self.rows}x{self.columns}{bad}-g{self.generation}{chosen}"


def default_dir() -> Path:
    """Where the files are kept between runs."""
    return Path(tempfile.gettempdir()) / "bulkwright-benchmarks"


def make(dataset: Dataset, folder: Path, *, zipped: bool = False) -> Path:
    """The path of the file, made where it is missing. The zip's only member is the CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / f"{dataset.stem}.csv"
    if not plain.exists():
        partial = plain.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as out:
            for start in range(0, dataset.rows, BLOCK):
                count = min(BLOCK, dataset.rows - start)
                block = _block(dataset, start, count)
                block.write_csv(out, include_header=start == 0)
        partial.replace(plain)
    if not zipped:
        return plain
    archive = plain.with_suffix(".csv.zip")
    if not archive.exists():
        partial = archive.with_suffix(f".{os.getpid()}.partial")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
            target.write(plain, "leads.csv")
        partial.replace(archive)
    return archive


def make_apart(dataset: Dataset, folder: Path, *, zipped: bool = False) -> Path:
    """`make` in a process of its own.

    The peak memory that the kernel reports for a process never falls below that of the process
    which started it, so a harness that measures memory must itself stay small.
    """
    argv = [sys.executable, __file__, "--dir", str(folder), "--rows", str(dataset.rows)]
    argv += ["--columns", str(dataset.columns), "--bad", str(dataset.bad)]
    argv += ["--generation", str(dataset.generation), "--first", str(dataset.first)]
    argv += ["--step", str(dataset.step), *(["--zip"] if zipped else [])]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())


def bad_rows(plain: Path) -> int:
    """How many rows of a file must be refused, found by reading it again without the service."""
    with plain.open(encoding="utf-8", newline="") as file:
        return sum(
            not row["Last_Name"]
            or NO_AT in row["Email"]
            or row["No_of_Employees"] == NOT_A_NUMBER
            or row["Annual_Revenue"] == TOO_LARGE
            or row["Email_Opt_Out"] == NOT_A_BOOLEAN
            for row in csv.DictReader(file)
        )


def _block(dataset: Dataset, start: int, count: int) -> pl.DataFrame:
    """`count` consecutive rows of a file, from its row `start` (counted from 0)."""
    import polars as pl  # Here only: see make_apart for why importing this module costs nothing.

    at = pl.int_range(start, start + count, dtype=pl.UInt64, eager=True)
    row = at * dataset.step + dataset.first

    def number(nr: int, below: int, generation: int = dataset.generation) -> pl.Series:
        """A number from 0 to below - 1 for each row, another one for each `nr`."""
        x = (row + 1 + (nr + generation * 1_000) * 7_919) * 2_654_435_761 % 2**32
        x = (x ^ (x // 2**15)) * 2_246_822_519 % 2**32
        x = (x ^ (x // 2**13)) * 3_266_489_917 % 2**32
        return (x ^ (x // 2**16)) % below

    def pick(nr: int, values: Sequence[str | None]) -> pl.Series:
        return pl.Series(values).gather(number(nr, len(values)))

    def digits(nr: int, width: int) -> pl.Series:
        return number(nr, 10**width).cast(pl.String).str.zfill(width)

    # Whatever makes up the address must not change with the generation.
    who = number(0, len(FIRST), generation=0)
    home = pl.Series(FIRM_B).gather(number(1, len(FIRM_B), generation=0)).str.to_lowercase()
    user = pl.Series(PLAIN_FIRST).gather(who) + "." + row.cast(pl.String)
    firm = pick(2, FIRM_A)
    line = pick(3, FIRM_B)
    frame = pl.DataFrame(
        {
            "Email": user + "@" + home + ".example",
            "Last_Name": pick(22, LAST),
            "First_Name": pl.Series(FIRST).gather(who),
            "Company": firm + " " + line + pick(4, FIRM_C),
            "Designation": pick(5, TITLES),
            "Phone": "+1 202-555-" + digits(6, 4),
            "Website": "www." + (firm + "-" + line).str.to_lowercase() + ".example",
            "Lead_Source": pick(7, SOURCES),
            "Lead_Status": pick(8, STATUSES),
            "Industry": pick(10, INDUSTRIES),
            "Annual_Revenue": number(11, 90_000_000).cast(pl.String) + "." + digits(9, 2),
            "No_of_Employees": number(12, 20_000).cast(pl.String),
            "Email_Opt_Out": pick(13, ["true", "false", "false", "false", "false"]),
            "Street": number(14, 300).cast(pl.String) + " " + pick(15, STREETS),
            "City": pick(16, CITIES),
            "Description": pick(17, NOTES),
            "State": pick(18, STATES),
            "Zip_Code": digits(19, 5),
            "Country": pick(20, COUNTRIES),
            "Rating": pick(21, RATINGS),
        }
    )
    if dataset.bad:
        chosen = number(30, 1_000_000, generation=0) < round(dataset.bad * 1_000_000)
        frame = _spoil(frame, chosen, number(31, 6, generation=0))
    return frame.select(COLUMNS[dataset.columns])


def _spoil(frame: pl.DataFrame, chosen: pl.Series, kind: pl.Series) -> pl.DataFrame:
    """Make each chosen row wrong in one of six ways, the last being two at once."""
    import polars as pl

    def wrong(column: str, kinds: list[int], value: pl.Expr) -> pl.Expr:
        hit = pl.lit(chosen) & pl.lit(kind).is_in(kinds)
        return pl.when(hit).then(value).otherwise(pl.col(column)).alias(column)

    return frame.with_columns(
        wrong("Last_Name", [0, 5], pl.lit(None)),
        wrong("Email", [1], pl.col("Email").str.replace("@", NO_AT, literal=True)),
        wrong("No_of_Employees", [2, 5], pl.lit(NOT_A_NUMBER)),
        wrong("Annual_Revenue", [3], pl.lit(TOO_LARGE)),
        wrong("Email_Opt_Out", [4], pl.lit(NOT_A_BOOLEAN)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a file of leads and print its path.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, choices=sorted(COLUMNS), default=16)
    parser.add_argument("--bad", type=float, default=0.0, help="fraction of bad rows, 0 to 1")
    parser.add_argument("--generation", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first row")
    parser.add_argument("--step", type=int, default=1, help="from one row's number to the next")
    parser.add_argument("--zip", action="store_true")
    parser.add_argument("--dir", type=Path, default=default_dir())
    args = parser.parse_args()
    dataset = Dataset(
        args.rows, args.columns, args.bad, args.generation, first=args.first, step=args.step
    )
    print(make(dataset, args.dir, zipped=args.zip))


if __name__ == "__main__":
    main()
