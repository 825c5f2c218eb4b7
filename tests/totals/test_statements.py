"""Statements: rules over a council's totals, with the sums of reports for facts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from language.linking_toolbox import BASE, codes, linked, rule, write
from rbcalc import Rules
from rbcalc._years import FinancialYear
from rbcalc.running.run import Summary
from rbcalc.running.statements import arrow, counted, stated
from rbcalc.running.totals import Table
from rbcalc_kernels.program.graph import Program

REPORT = "reports:\n  by_use:\n    title: By band\n    of: period\n    by: [band]\n    sum: [kept]\n"
STATEMENT = """\
statements:
  claim:
    title: The claim
    rules: england.claim
    figures:
      errors: {report: by_use, sum: kept, where: {band: [A, B]}}
      all_of_it: {report: by_use, sum: kept}
      lines: {report: by_use, sum: rows, where: {band: C}}
"""
CLAIM = """\
kind: statute
title: The claim
from: 2013-04-01
source: {document: Made up for tests}
entities:
  council: {title: Council}
registers:
  totals: {of: council, key: council}
inputs:
  errors: {title: Errors, of: council, unit: £, range: £0 to £1000000000, register: totals}
  all_of_it: {of: council, unit: £, range: £0 to £1000000000, register: totals}
  lines: {of: council, unit: count, range: 0 to 1000000, register: totals}
parameters:
  threshold: {unit: rate, value: 0.48%}
rules:
  share:
    title: Share that is met
    of: council
    unit: rate
    output: yes
    first:
      - {when: errors <= all_of_it * threshold, give: 100%, because: "Errors of {errors} are not above the threshold."}
      - {otherwise: 0%, because: "Errors of {errors} are above the threshold."}
  met:
    title: Errors that are met
    of: council
    unit: £
    output: yes
    is: errors * share
  left: {title: Lines, of: council, unit: count, output: yes, is: lines}
"""
TABLE: Table = {
    ("A",): [Fraction("40.00"), Fraction(2)],
    ("B",): [Fraction("8.00"), Fraction(1)],
    ("C",): [Fraction("9952.00"), Fraction(7)],
}


def folder(path: Path, statement: str = STATEMENT) -> Path:
    base = BASE + rule("kept", "period", "£", "£1") + REPORT + statement
    return write(path, {"england/base.yaml": base, "england/claim.yaml": CLAIM})


def program(path: Path) -> Program:
    return linked(path, [path / "england/base.yaml"]).program


def summary(made: Program, table: Table) -> Summary:
    return Summary(FinancialYear.of("2025-26"), ("here",), {"here": made}, {"here": {"by_use": table}})


@pytest.mark.parametrize(("more", "share", "met"), [("0.00", 1, "48.00"), ("0.01", 0, "0.00")])
def test_a_line_of_the_totals_decides_for_the_whole(tmp_path: Path, more: str, share: int, met: str) -> None:
    made = program(folder(tmp_path))
    table = {**TABLE, ("A",): [Fraction("40.00") + Fraction(more), Fraction(2)]}
    (claim,) = stated(summary(made, table), Rules(tmp_path))["here"]
    assert (claim.title, claim.value("share"), claim.value("met")) == ("The claim", share, Fraction(met))
    assert claim.value("errors") == Fraction("48.00") + Fraction(more)
    assert claim.value("left") == 7
    reason = next(line.because for line in claim.lines if line.name == "share")
    assert reason == f"Errors of £{float(Fraction('48.00') + Fraction(more)):.2f} are {'not ' if share else ''}above the threshold."
    lines = arrow([claim]).to_pylist()
    assert [line["line"] for line in lines] == ["errors", "all_of_it", "lines", "share", "met", "left"]
    assert lines[4]["shown"] == f"£{met}"


def test_nothing_counted_is_nought(tmp_path: Path) -> None:
    made = program(folder(tmp_path))
    errors, *_ = made.statements[0].figures
    assert counted(errors, {}) == 0
    (claim,) = stated(summary(made, {}), Rules(tmp_path))["here"]
    assert claim.value("share") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        STATEMENT.replace("report: by_use, sum: kept}", "report: by_us, sum: kept}"),
        STATEMENT.replace("sum: rows", "sum: row"),
        STATEMENT.replace("band: C", "band: E"),
        STATEMENT.replace("{band: C}", "{ban: C}"),
    ],
)
def test_misspelt_names_are_told(tmp_path: Path, wrong: str) -> None:
    assert wrong != STATEMENT
    assert codes(folder(tmp_path, wrong), [tmp_path / "england/base.yaml"]) == ["RB039"]
