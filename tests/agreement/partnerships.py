"""Every partnership at its real size, all subjects in one run, and each of its councils alone: `scripts/partnerships [NAME ...]`.

The sample is made once, billed by one command for the partnership and by one for each council. Every row of every table that a
run writes for a council is compared, and each total of the partnership with the sum of its councils'.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import rbcalc

RATES = "business_rates"


COUNCIL_TAX, RATES = "council_tax", "business_rates"
YEARS = (2010, 2027)
Figures = dict[tuple[str, str, str, str, str], str]
"""Amounts by council, subject, report, keys and name."""


@dataclass(frozen=True, slots=True)
class Case:
    """A partnership and a year in which every member has rules of business rates."""

    partnership: str
    year: str
    councils: tuple[str, ...]
    whole: bool  # not where only some of them have charges of Council Tax, which the command refuses

    @property
    def subject(self) -> list[str]:
        return [] if self.whole else ["--subject", RATES]


@dataclass(frozen=True, slots=True)
class Found:
    """What one run and those of its councils alone came to."""

    case: Case
    subjects: int
    accounts: int
    hereditaments: tuple[int, ...]
    seconds: float
    alone: float
    tables: int
    rows: int
    rejects: int
    differences: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        case = self.case
        held = " + ".join(f"{count:,}" for count in self.hereditaments)
        return (
            *(case.partnership, case.year, str(self.subjects), f"{self.accounts:,}", held, f"{self.seconds:.1f}", f"{self.alone:.1f}"),
            *(f"{self.tables:,}", f"{self.rows:,}", f"{self.rejects:,}", f"{len(self.differences):,}"),
        )


HEADS = ("partnership", "year", "subjects", "accounts", "hereditaments", "seconds", "alone", "tables", "rows", "rejects", "differences")
WIDTHS = (29, 8, 8, 9, 31, 7, 7, 6, 10, 7, 11)


def line(cells: Sequence[str]) -> str:
    return "  ".join(
        cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )


def cases(names: Sequence[str] = (), years: Sequence[str] = ()) -> Iterator[Case]:
    """Those there are, or only some partnerships and years of them."""
    rules = rbcalc.load()
    for name in names or rules.partnership_names:
        for year in years or [str(rbcalc.FinancialYear(begins)) for begins in range(*YEARS)]:
            try:
                councils = rules.partnership(name).councils(year)
            except rbcalc.UsageError:
                continue  # it had no members
            held = {subject: [year in map(str, each.of(subject).years()) for each in councils] for subject in (COUNCIL_TAX, RATES)}
            if all(held[RATES]):
                whole = all(held[COUNCIL_TAX]) or not any(held[COUNCIL_TAX])
                yield Case(name, year, tuple(each.name for each in councils), whole)


def command(*words: str) -> tuple[Figures, float]:
    """Run rbcalc: the figures of its totals, as exact as it has them, and its seconds.  Rejected rows are compared like all others."""
    began = time.perf_counter()
    done = subprocess.run(["rbcalc", *words, "--format", "json"], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode > 1:
        raise SystemExit(f"rbcalc {' '.join(words)}\n{done.stderr}")
    rows = json.loads(done.stdout).get("rows", ())
    return {(row["council"], row["subject"], row["report"], row["of"], row["figure"]): row["amount"] for row in rows}, seconds


def agree(case: Case, folder: Path) -> Found:
    """Bill the partnership, then each council alone, and compare every row."""
    sample, together = folder / "sample", folder / "together"
    where = ["--partnership", case.partnership, "--year", case.year, *case.subject]
    command("sample", *where, "--out", str(sample))
    whole, seconds = command("rebill", *where, "--sample", "--out", str(together))
    own: Figures = {}
    alone = 0.0
    differences: list[str] = []
    tables = rows = rejects = 0
    for council in case.councils:
        figures, took = command(
            "rebill", "--council", council, "--year", case.year, "--caseload", str(sample), "--out", str(folder / council)
        )
        own |= figures
        alone += took
        mine, theirs = files(folder / council / council), files(together / council)
        differences += [f"{council}: {name} is written by one run only" for name in mine.keys() ^ theirs.keys()]
        for name in sorted(mine.keys() & theirs.keys()):
            one, other = read(mine[name]), read(theirs[name])
            differences += [f"{council}: {name}: {told}" for told in between(one, other)]
            tables, rows = tables + 1, rows + one.num_rows
            rejects += one.num_rows if name.endswith("rejects.parquet") else 0
    differences += [
        f"{' '.join(place)}: {whole.get(place)}, alone {own.get(place)}" for place in whole | own if whole.get(place) != own.get(place)
    ]
    first = next(iter(whole))[1]
    for file in sorted(together.glob("totals/*.parquet")) + sorted(together.glob("*/totals/*.parquet")):
        folders = file.relative_to(together).parts
        if folders[0] in case.councils:
            continue
        subject = first if len(folders) == 2 else folders[0]
        differences += [f"{subject} {file.stem}: {told}" for told in of_all(read(file), own, subject, file.stem)]
        tables, rows = tables + 1, rows + pq.read_metadata(file).num_rows
    bills = [file for council in case.councils for name, file in files(together / council).items() if name.endswith("bills.parquet")]
    held = read(sample / "rates_accounts.parquet").select(["council", "hereditament"])
    counts = [pc.count_distinct(held.filter(pc.equal(held["council"], council))["hereditament"]).as_py() for council in case.councils]
    return Found(
        case,
        len(bills) // len(case.councils),
        sum(pq.read_metadata(file).num_rows for file in bills),
        tuple(counts),
        seconds,
        alone,
        tables,
        rows + len(whole),
        rejects,
        tuple(differences),
    )


def of_all(table: pa.Table, own: Figures, subject: str, report: str) -> Iterator[str]:
    """Where a total of the partnership is not that of its councils added up, rounded once."""
    sums: dict[tuple[str, str], Fraction] = {}
    for (_, about, name, of, figure), amount in own.items():
        if (about, name) == (subject, report):
            sums[of, figure] = sums.get((of, figure), Fraction(0)) + Fraction(amount)
    keys = [field.name for field in table.schema if pa.types.is_string(field.type)]
    found: dict[tuple[str, str], Fraction] = {}
    for row in table.to_pylist():
        of = " / ".join(row[key] for key in keys)
        found |= {(of, name): Fraction(value) for name, value in row.items() if name not in keys}
    for place in sums | found:
        added, told = sums.get(place, Fraction(0)), found.get(place, Fraction(0))
        if told != Fraction(floor(added * 100 + Fraction(1, 2)), 100):
            yield f"{' '.join(place)}: {told}, councils {added}"


def files(folder: Path) -> dict[str, Path]:
    """The tables in a folder by their names from there."""
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*.parquet"))}


def read(file: Path) -> pa.Table:
    """A table with plain texts, which can be sorted and added up by."""
    table = pq.read_table(file).replace_schema_metadata()
    texts = [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in table.schema]
    return table.cast(pa.schema(texts))


def between(one: pa.Table, other: pa.Table) -> Iterator[str]:
    """The rows, as often as they occur, that only one of two tables has."""
    if one.schema != other.schema:
        yield f"columns {one.schema.names} and {other.schema.names}"
        return
    by = [(name, "ascending") for name in one.column_names]
    if one.num_rows == other.num_rows and one.sort_by(by).equals(other.sort_by(by)):
        return
    mine, theirs = (Counter(tuple(row.values()) for row in table.to_pylist()) for table in (one, other))
    yield from map(str, (mine - theirs).elements())
    yield from map(str, (theirs - mine).elements())


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("partnerships", nargs="*", help="only these")
    asked.add_argument("--year", action="append", default=[], help="only this year, as 2014-15; may be given again")
    words = asked.parse_args()
    differing = 0
    print(line(HEADS), flush=True)
    for case in cases(words.partnerships, words.year):
        with tempfile.TemporaryDirectory() as folder:
            found = agree(case, Path(folder))
        print(line(found.cells), flush=True)
        for told in found.differences[:20]:
            print("   ", told)
        differing += len(found.differences)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
