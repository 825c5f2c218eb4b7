"""A council's bills and totals are the same whether it is run alone or with others, and they are those of the exact evaluator."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from agreement.accounts import Records
from agreement.both import Exactly
from agreement.mapping import on
from agreement.scenes import Scene, rules
from rbcalc.running.rebill import rebill
from rbcalc.running.run import Summary
from rbcalc_kernels.language.types import DATE
from rbcalc_kernels.program.graph import Program, Value

YEAR = "2024-25"
COUNCILS = [Scene("hartlepool", YEAR), Scene("darlington", YEAR), Scene("redcar_and_cleveland", YEAR)]
EACH = 120


def text(value: Value | None, *, date: bool) -> str:
    """A fact as a caseload writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if date:
        return on(value).isoformat()
    if isinstance(value, Fraction):
        return str(value) if value.denominator == 1 else f"{float(value):.2f}"
    return str(value)


def rows_of(program: Program, council: str, name: str, number: int, records: Records) -> list[dict[str, str]]:
    dates = {"from", "to", *(found.column for found in program.inputs.values() if found.type == DATE)}
    references = {"account", "dwelling"}
    made = []
    for record in records[name]:
        row = {column: text(value, date=column in dates) for column, value in record.items() if column not in references}
        row |= dict.fromkeys(references & set(record), f"{council}-{number}")
        made.append({"council": council, **row})
    return made


def written(folder: Path, scenes: list[Scene]) -> Path:
    """A caseload of some councils as CSV files."""
    folder.mkdir()
    for name in ("accounts", "dwellings", "people"):
        rows = [
            row
            for scene in scenes
            for number in range(EACH)
            for row in rows_of(scene.program, scene.council, name, number, scene.accounts.plausible(number))
        ]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def billed(tmp_path: Path, name: str, scenes: list[Scene]) -> tuple[Summary, dict[str, list[dict[str, Any]]]]:
    councils = [rules().council(scene.council) for scene in scenes]
    summary = rebill(councils, YEAR, written(tmp_path / f"{name}-in", scenes), tmp_path / name, keep_private=True)
    assert summary.rejects == 0
    bills = {
        scene.council: pq.read_table(tmp_path / name / scene.council / "bills.parquet").sort_by("account").to_pylist() for scene in scenes
    }
    return summary, bills


def test_each_council_alone_is_as_in_the_partnership(tmp_path: Path) -> None:
    together, bills = billed(tmp_path, "together", COUNCILS)
    for scene in COUNCILS:
        alone, own = billed(tmp_path, scene.council, [scene])
        assert own[scene.council] == bills[scene.council]
        assert len(bills[scene.council]) == EACH
        assert alone.totals[scene.council] == together.totals[scene.council]


@pytest.mark.parametrize("scene", COUNCILS, ids=str)
def test_the_bills_of_a_run_are_the_exact_ones(tmp_path: Path, scene: Scene) -> None:
    summary, bills = billed(tmp_path, "run", [scene])
    exactly, total = Exactly(scene.program), Fraction(0)
    for bill in bills[scene.council]:
        row = exactly.row(scene.accounts.plausible(int(bill["account"].rsplit("-", 1)[1])))
        total += Fraction(row.values["charge_total"] or 0)
        for name in ("gross_charge", "discount_total", "premium_total", "overpaid", "instalments", "first_instalment", "other_instalment"):
            assert Fraction(bill[name]) == row.values[name], (bill["account"], name)
    by_band = summary.table("by_band", scene.council)
    place = [ref.name for ref in summary.report("by_band").sums].index("charge")
    assert sum(figures[place] for figures in by_band.values()) == total
