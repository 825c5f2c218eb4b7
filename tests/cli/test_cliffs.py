"""`rbcalc cliffs` and `rbcalc churn`: tables, CSV and JSON of the same figures, and codes for what cannot be done."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CLIFFS = ("cliffs", "--council", "hartlepool", "--year", "2026-27", "--name", "Single person in work")
HOUSEHOLD = """
kind: cases
title: A household
year: 2026-27
given:
  accounts: {account: X, dwelling: Y, from: 2020-04-01}
  dwellings: {dwelling: Y, from: 2000-01-01, band: D, area: whole, recorded_adults: 2}
  claims: {claim: C, account: X, from: 2020-04-01, capital: £1000}
  household: {claim: C, person: P, from: 2020-04-01, role: applicant, born: 1985-01-01}
  incomes: {person: P, from: 2020-04-01, income_kind: jsa_contribution_based, frequency: weekly, amount: £0}
cases:
  - {name: "=HYPERLINK(1)"}
"""


def test_the_edges_are_the_same_in_every_form(rbcalc: Callable[..., Any], tmp_path: Path) -> None:
    shown = rbcalc(*CLIFFS, "--out", tmp_path / "out")
    assert shown.code == 0
    for word in ("141.20", "£116.20", "341.36", "Schedule"):
        assert word in shown.out
    assert "http" not in shown.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["curve.parquet", "edges.parquet", "stretches.parquet"]
    rows = list(csv.DictReader(io.StringIO(rbcalc(*CLIFFS, "--format", "csv").out)))
    told = json.loads(rbcalc(*CLIFFS, "--format", "json").out)
    assert rows[0]["change"] == "single, up to £116.20 a week: 90 % becomes 70 %"
    assert [row["amount"] for row in rows] == [row["amount"] for row in told["edges"]] == ["141.20", "234.17", "274.84", "321.32"]
    assert {"edges", "stretches", "curve", "hypothetical"} <= set(told)


def test_stretches_say_what_is_taken_of_a_pound(rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc("cliffs", "--council", "stevenage", "--year", "2026-27", "--name", "Couple, one in work", "--show", "stretches")
    assert "20.00%" in ran.out
    assert "earnings after tax" in ran.err


def test_where_the_rules_refuse_it_is_said_with_the_amounts(rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc("cliffs", "--council", "dorset", "--year", "2026-27", "--name", "Single person in work")
    assert ran.code == 0
    assert "Single person in work: refused from £92.01 to £1,000.00" in ran.err


def test_a_name_that_is_a_formula_is_none_in_a_spreadsheet(rbcalc: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "own.cases.yaml"
    file.write_text(HOUSEHOLD, encoding="utf-8")
    ran = rbcalc("cliffs", "--council", "hartlepool", "--year", "2026-27", "--household", file, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert next(row["amount"] for row in rows) == "116.20"
    assert {row["household"] for row in rows} == {"'=HYPERLINK(1)"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("cliffs",), 2, "which council?"),
        ((*CLIFFS, "--vary", "incomes"), 2, "incomes is no fact"),
        ((*CLIFFS, "--to", "£9999999"), 2, "no range of amounts"),
        ((*CLIFFS, "--scenario", "none.yaml"), 2, "no such file"),
        ((*CLIFFS, "--caseload", "nowhere"), 2, "no such folder"),
        (("churn", "--council", "hartlepool", "--year", "2026-27"), 2, "which caseload?"),
        (("churn", "--council", "hartlepool", "--year", "2026-27", "--caseload", "."), 3, "has no table"),
    ],
)
def test_what_cannot_be_done_has_its_code(rbcalc: Callable[..., Any], arguments: tuple[str, ...], code: int, said: str) -> None:
    ran = rbcalc(*arguments)
    assert ran.code == code, ran.said
    assert said in ran.said
    assert "Traceback" not in ran.said


def test_churn_prints_what_came_of_the_options(rbcalc: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    tables = {
        "accounts": "account,dwelling,from,to\na,d,2020-04-01,\n",
        "dwellings": "dwelling,band,area,recorded_adults,from,to\nd,D,whole,2,2000-01-01,\n",
        "claims": "claim,account,capital,from,to\nc,a,100,2020-04-01,\n",
        "household": "claim,person,role,born,from,to\nc,p,applicant,1985-01-01,2020-04-01,\n",
        "incomes": "person,income_kind,frequency,amount,from,to\np,employed_earnings,weekly,138.00,2020-04-01,\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    (tmp_path / "months.csv").write_text("person,month,amount\np,2026-04,600\np,2026-10,1040\n", encoding="utf-8")
    churn = ("churn", "--council", "hartlepool", "--year", "2026-27", "--caseload", tmp_path, "--incomes", tmp_path / "months.csv")
    told = json.loads(rbcalc(*churn, "--fixed-period", "12", "--format", "json").out)
    assert [(row["option"], row["bills"]) for row in told["options"]] == [("every change", "1"), ("fixed for 12 months", "0")]
    assert {row["households"] for row in told["distribution"]} == {"<5"}
