"""A line that refuses: an account that lacks a needed fact is rejected with the rule's own reason, by both evaluators."""

from __future__ import annotations

from pathlib import Path

import pytest

import rbcalc
from rbcalc.rulebook.cases import CaseReader, run
from rbcalc_kernels.exact.faults import CalculationFault, Reason

RULES = """
kind: statute
title: How long a dwelling has been empty
from: 2013-04-01
source: {law: made up for this test}
entities:
  account: {title: Account}
  period: {parent: account, spell: yes, members: periods}
registers:
  accounts: {of: account, key: account, dated: yes}
  facts: {of: period, by: account, dated: yes}
inputs:
  empty: {of: period, unit: yes/no, register: facts}
  since: {of: period, unit: date, range: 1990-01-01 to 2060-01-01, optional: yes, register: facts}
rules:
  years:
    of: period
    unit: count
    first:
      - {when: not empty, give: 0}
      - {when: not known(since), refuse: "It is empty, but nobody says since when."}
      - {when: "reached(years_after(since, 1))", give: 1}
      - otherwise: 0
  longest: {of: account, unit: count, output: yes, is: "max(periods.years, none: 0)"}
"""

CASES = """
kind: cases
title: Empty since when
extends: [england.empty]
year: 2025-26
given:
  accounts: {account: X, from: 2000-01-01}
  facts: {account: X, from: 2000-01-01}
cases:
  - {name: a year, given: {facts: {empty: yes, since: 2024-10-01}}, expect: {longest: 1, periods: [{years: 0}, {years: 1}]}}
  - {name: not said, given: {facts: {empty: yes}}, expect: {refused: refused}}
  - {name: not empty, given: {facts: {empty: no}}, expect: {longest: 0}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of rules with that one subject."""
    for name in ("england", "councils", "partnerships"):
        (tmp_path / name).mkdir()
    (tmp_path / "england" / "empty.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "england" / "cases.yaml").write_text(CASES, encoding="utf-8")
    return tmp_path


def test_both_evaluators_refuse(folder: Path) -> None:
    """The account is refused by both, and its neighbours are not."""
    examples = CaseReader(rbcalc.load(folder)).read(folder / "england" / "cases.yaml")
    assert [outcome.problems for outcome in run(examples)] == [[], [], []]


def test_the_reason_is_the_rule_s_own(folder: Path) -> None:
    """What the rejects say is what the author wrote."""
    from rbcalc.rulebook.cases import work_out

    examples = CaseReader(rbcalc.load(folder)).read(folder / "england" / "cases.yaml")
    with pytest.raises(CalculationFault, match="nobody says since when") as raised:
        work_out(examples[1])
    assert raised.value.reason is Reason.REFUSED
