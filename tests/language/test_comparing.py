"""What is said under reports:, impacts: and differences: is checked with the rules, for roots that are gathered too."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.linking_toolbox import findings, linked, write

RULES = """\
kind: statute
title: Shops and who has them
from: 2020-04-01
source: {note: made up}
lists:
  use: {members: [shop, other]}
entities:
  owner: {by: owner}
  account: {parent: owner, ordered: yes, members: accounts}
  period: {parent: account, spell: yes, members: periods}
registers:
  accounts: {of: account, key: account, references: [owner], dated: yes}
  uses: {of: period, by: account, dated: yes}
inputs:
  value: {of: period, unit: £, range: £0 to £1000, register: uses}
  use: {of: period, unit: use, register: uses}
rules:
  charge: {of: period, unit: £, is: if use = shop then value else £0}
  bill: {of: account, unit: £, output: yes, is: sum(periods.charge)}
  account_days: {of: account, unit: days, is: sum(periods.days)}
  in_all: {of: owner, unit: £, output: yes, is: sum(accounts.bill)}
reports:
  by_use: {title: By use, of: period, by: [use], sum: [charge], down: yes, headings: {charge: charged, rows: periods}}
impacts:
  bill: {title: Bill, of: account, amount: bill, owed: yes, days: account_days, by: [period.use], note: All of them.}
  again: {title: Again, of: account, amount: bill, days: account_days, by: []}
reconciliation:
  bill: {title: Bill, of: account, is: bill}
differences:
  bill:
    {title: Bill, of: account, is: bill, days: Days,
     steps: [{title: Value, values: [period.value]}, {title: Use, values: [period.charge]}]}
"""


def test_a_root_that_is_gathered_is_compared(tmp_path: Path) -> None:
    program = linked(write(tmp_path, {"all.yaml": RULES})).program
    first, second = program.impacts
    assert (first.name, first.owed, first.note) == ("bill", True, "All of them.")
    assert (second.owed, second.note) == (False, "")
    (report,) = program.reports
    assert report.down and dict(report.headings) == {"charge": "charged", "rows": "periods"}
    (figure,) = program.reconciliation
    assert str(figure.figure) == "account.bill"
    (difference,) = program.differences
    assert difference.days == "Days"
    assert [(title, [str(ref) for ref in values]) for title, values in difference.steps] == [
        ("Value", ["period.value"]),
        ("Use", ["period.charge"]),
    ]


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("headings: {charge:", "headings: {charges:", "RB039", "the report has no column charges"),
        ("of: account, amount: bill, owed", "of: owner, amount: bill, owed", "RB086", "'owner' is no entity that belongs to none"),
        ("of: account, is: bill}", "of: owner, is: bill}", "RB086", "owner gathers rows"),
        ("of: account, is: bill}", "of: period, is: bill}", "RB086", "period belongs to account"),
        ("of: account, is: bill, days", "of: owner, is: bill, days", "RB086", "'owner' is no entity that belongs to none"),
        ("of: account, is: bill, days", "of: account, is: bills, days", "RB039", "account has no value called bills"),
        ("of: account, is: bill, days", "of: account, is: account_days, days", "RB088", "'account_days' is no amount"),
        ("values: [period.charge]", "values: [period.charges]", "RB039", "period has no value called charges"),
        ("values: [period.charge]", "values: [perio.charge]", "RB039", "perio has no value called charge"),
        ("period: {parent: account, spell: yes,", "period: {parent: account, spell: yes, gaps: yes,", "RB086", "cannot be told apart"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, old: str, new: str, code: str, told: str) -> None:
    assert RULES.count(old) == 1
    found = findings(write(tmp_path, {"all.yaml": RULES.replace(old, new)}))
    assert any(each.code == code and told in each.message for each in found), list(found)
