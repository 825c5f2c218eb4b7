"""Every edge of every grid that is shipped, a penny below it, at it and a penny above it, in both evaluators."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

import rbcalc
from rbcalc.rulebook.cases import CaseReader, run
from rbcalc_kernels.program.graph import Program

HEAD = """
kind: cases
title: Edges of a grid
council: {council}
year: {year}
source: {{note: made from the table}}
given:
  accounts: {{account: X, dwelling: Y, from: 2020-04-01}}
  dwellings: {{dwelling: Y, from: 2000-01-01, band: D, area: {area}, recorded_adults: 2}}
  claims: {{claim: C, account: X, from: 2020-04-01, capital: £1000}}
  incomes: {{person: P, from: 2020-04-01, income_kind: jsa_contribution_based, frequency: weekly}}
cases:
"""
CASE = """
  - name: {family} {income}
    given:
      incomes: {{amount: £{income}}}
      household: [{household}]
    expect: {{assessments: [{{grid_household: {column}, grid_income: £{income}, grid_share: {share}%}}]}}
"""
PERSON = "{{claim: C, person: {person}, from: 2020-04-01, role: {role}, born: {born}-01-01}}"
PENNY = Fraction(1, 100)


def grids() -> Iterator[tuple[str, str]]:
    """The councils with a grid, and the years."""
    rules = rbcalc.load()
    for name in rules.council_names:
        for file in sorted((rules.library.root / "councils" / name / "reduction").glob("*.yaml")):
            if "  grid_support:" in file.read_text(encoding="utf-8"):
                yield name, file.stem


def household(family: str) -> str:
    """The people of a family."""
    people = [("P", "applicant", 1985)] + [("Q", "partner", 1987)] * family.startswith("couple")
    children = next((int(part) for part in family.split("_") if part.isdigit()), 0)
    people += [(f"K{number}", "child", 2014 + number) for number in range(children)]
    return ", ".join(PERSON.format(person=person, role=role, born=born) for person, role, born in people)


def text(council: str, year: str, program: Program) -> str:
    """The cases of one grid.  The share is that of the first edge that the income is not above."""
    area = program.tables["amount_for_band"].by_period[0]
    made = HEAD.format(council=council, year=year, area=next(iter(area.rows))[0])
    columns = program.tables["grid_column"].by_period[0].rows
    grid = program.tables["grid_support"].by_period[0].rows
    first = {column: family for (family,), (_, (column,)) in reversed(list(columns.items()))}
    for column, family in first.items():
        edges, shares = grid[(str(column),)]
        for edge in edges:
            for income in (edge - PENNY, edge, edge + PENNY):
                share = next((s for e, s in zip(edges, shares, strict=False) if income <= e), shares[-1])
                values = {"income": f"{float(income):.2f}", "share": f"{float(share * 100):g}"}
                made += CASE.format(family=family, household=household(str(family)), column=column, **values)
    return made


@pytest.mark.parametrize(("council", "year"), list(grids()))
def test_every_edge(council: str, year: str, tmp_path: Path) -> None:
    """The upper end of a band belongs to it."""
    rules = rbcalc.load()
    file = tmp_path / "edges.cases.yaml"
    file.write_text(text(council, year, rules.council(council).program(year)), encoding="utf-8")
    outcomes = run(CaseReader(rules).read(file))
    assert len(outcomes) >= 60
    assert {outcome.example.name: outcome.problems for outcome in outcomes if outcome.problems} == {}
