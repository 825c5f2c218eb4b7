"""What is said under reconciliation: is checked with the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

import rbcalc
from rbcalc.errors import UsageError
from rbcalc_kernels.source import RulesError
from reconcile.small import YEAR, rules_folder


def test_it_stands_in_the_program(rules_root: Path) -> None:
    charge, award = rbcalc.load(rules_root).council("north").program(YEAR).reconciliation
    assert (charge.name, charge.title, str(charge.figure), charge.blank) == ("charge", "Charge", "account.charge", None)
    assert [str(ref) for ref in (*charge.roundings, *charge.facts)] == ["period.daily", "period.part", "period.size", "person.away"]
    assert charge.records == ("accounts", "places", "people")
    assert award.blank == 0


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("of: account, is: award, blank: £0", "of: period, is: award", "RB086", "period belongs to account"),
        ("of: account, is: award, blank: £0", "of: acount, is: award", "RB086", "no such entity: acount"),
        ("is: award, blank: £0", "is: awarded", "RB039", "account has no rule called awarded"),
        ("is: award, blank: £0", "is: award, blank: nothing", "RB0", "nothing"),
        ("[period.daily, period.part]", "[daily]", "RB039", "'daily' does not say whose rule it is"),
        ("[period.daily, period.part]", "[period.day]", "RB039", "period has no rule called day"),
        ("[places.size, people.away]", "[places.sizes]", "RB039", "no such fact: places.sizes"),
        ("records: [accounts, places, people]", "records: [place]", "RB087", "no such register: place"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, code: str, told: str) -> None:
    root = rules_folder(tmp_path / "rules")
    path = root / "england" / "charge.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RulesError) as raised:
        rbcalc.load(root).council("north").program(YEAR)
    assert f"[{code}" in str(raised.value)
    assert told in str(raised.value)
    assert "rules/england/charge.yaml:" in str(raised.value)


def test_rules_that_declare_nothing_cannot_be_reconciled(tmp_path: Path) -> None:
    root = rules_folder(tmp_path / "rules")
    path = root / "england" / "charge.yaml"
    path.write_text(path.read_text(encoding="utf-8").partition("reconciliation:")[0], encoding="utf-8")
    with pytest.raises(UsageError, match="declare them under reconciliation:"):
        rbcalc.reconcile([rbcalc.load(root).council("north")], YEAR, {}, "none.csv")
