"""The calculation written from the statute against the compiled evaluator, on the plausible accounts of `test_two_evaluators`.

There the exact evaluator is held against the compiled one, so that all three agree.  What is compared: the net bill, the
total and the reduction; every day's charge, band, exemption, discount or premium; every stretch; every instalment.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest

from agreement.accounts import Records
from agreement.both import Columns, Compiling, Exactly
from agreement.mapping import account_of, council_of, instalments_of, on
from agreement.missing import known_without
from agreement.scenes import CHANGING, SCENES, TOTAL, Scene, rules, share
from independent.council_tax import Account, Award, Bill, Council, bill
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Program, Ref

BATCH = 4_000


class Worked:
    """The compiled evaluator's figures, account by account."""

    def __init__(self, program: Program, compiling: Compiling, columns: Columns, accounts: int) -> None:
        self.columns = columns.values
        self.types = {Ref(rule.entity, rule.name): rule.type for rule in program.rules}
        self.denominators = compiling.compiled.denominators
        self.starts = np.searchsorted(columns.account["period"], np.arange(accounts + 1))
        self.rows = {int(account): place for place, account in enumerate(columns.account["account"])}

    def value(self, entity: str, name: str, row: int) -> Any:
        ref = Ref(entity, name)
        code, type_ = int(self.columns[ref][row]), self.types[ref]
        return type_.members[code] if isinstance(type_, Choice) else Fraction(code, self.denominators.get(ref, 1))

    def account(self, number: int, name: str) -> Any:
        return self.value("account", name, self.rows[number])

    def pence(self, number: int, name: str) -> int:
        found = self.account(number, name) * 100
        assert found.denominator == 1
        return int(found)

    def periods(self, number: int) -> range:
        return range(int(self.starts[number]), int(self.starts[number + 1]))


def differences(council: Council, records: Records, account: Account, worked: Worked, number: int) -> list[str]:
    """What one account comes to otherwise."""
    found = bill(council, account)
    pairs = {
        "charge_total": (found.total_pence, worked.pence(number, "charge_total")),
        "reductions": (found.reduction_pence, worked.pence(number, "reductions")),
        "bill": (found.net_pence, worked.pence(number, "bill")),
        "periods": of_days(found, worked, number),
        "stretches": of_stretches(found, worked, number),
    }
    amounts, overpaid, due = instalments_of(records, council.year_start, found.net_pence)
    count = int(worked.account(number, "instalments"))
    others = [worked.pence(number, "other_instalment")] * (count - 1)
    pairs["instalments"] = (amounts, [worked.pence(number, "first_instalment"), *others] if count else [])
    pairs["overpaid"] = (overpaid, worked.pence(number, "overpaid") if records["accounts"][0].get("instalments_left") is not None else 0)
    if due is not None:
        pairs["first_due"] = (due, on(worked.account(number, "first_due")))
    return [f"{name}: statute {one}, rules {other}" for name, (one, other) in pairs.items() if one != other]


def of_days(found: Bill, worked: Worked, number: int) -> tuple[Any, Any]:
    """What every day is charged, and why, one row for each period of the rules; the days of a period must be alike."""
    statute, rules, at = [], [], 0
    for row in worked.periods(number):
        value = lambda name, row=row: worked.value("period", name, row)  # noqa: E731
        length = int(value("stretch_days") - (worked.value("period", "stretch_days", row - 1) if value("same_stretch") else 0))
        days = found.days[at : at + length]
        at += length
        exempt, charged = value("exempt_as"), value("charged_band")
        share = 1 - value("discount") + value("premium")
        amount = 0 if exempt != "not_exempt" else value("annual_amount") * share * 100
        rules.append([("A-" if charged == "A_reduced" else charged, exempt, amount, value("daily_charge") * 100)])
        told = [
            (d.band_charged, d.kind.split()[1] if d.kind.startswith("exempt") else "not_exempt", d.after_discount_or_premium, d.daily_pence)
            for d in days
        ]
        statute.append([row for row, _ in groupby(told)])
    assert at == len(found.days), "the days add up"
    return statute, rules


def of_stretches(found: Bill, worked: Worked, number: int) -> tuple[Any, Any]:
    """Days and charge of every stretch."""
    rows = worked.periods(number)
    ends = [row for row, after in pairwise([*rows, -1]) if after < 0 or not worked.value("period", "same_stretch", after)]
    rules = [(int(worked.value("period", "stretch_days", row)), int(worked.value("period", "stretch_charge", row) * 100)) for row in ends]
    assert all(one.last + timedelta(days=1) == other.first for one, other in pairwise(found.stretches))
    return [(stretch.days, stretch.charge_pence) for stretch in found.stretches], rules


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_the_statute_and_the_rules_agree(scene: Scene) -> None:
    program, accounts = scene.program, scene.accounts
    council, compiling, exactly = council_of(program), Compiling(program), Exactly(program)
    one_off = Fraction(program.parameters["one_off_reduction"].by_period[0])
    wrong = []
    for first in range(0, share(SCENES, TOTAL // 2), BATCH):
        records = [accounts.plausible(number) for number in range(first, min(first + BATCH, share(SCENES, TOTAL // 2)))]
        columns = compiling.run(records).settled(exactly, records, compiling.compiled.denominators)
        assert not columns.refused
        worked = Worked(program, compiling, columns, len(records))
        for number, each in enumerate(records):
            wrong += [f"account {first + number}: {text}" for text in differences(council, each, account_of(each, one_off), worked, number)]
    assert wrong == []


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_an_account_is_refused_just_where_a_missing_fact_decides(scene: Scene) -> None:
    program, count = scene.program, max(50, share(SCENES, TOTAL // 50))
    council, compiling, exactly = council_of(program), Compiling(program), Exactly(program)
    one_off = Fraction(program.parameters["one_off_reduction"].by_period[0])
    records = [scene.accounts.lacking(number) for number in range(count)]
    columns = compiling.run(records).settled(exactly, records, compiling.compiled.denominators)
    worked, wrong, refused = Worked(program, compiling, columns, count), [], 0
    for number, each in enumerate(records):
        known = known_without(council, each)
        refused += known is None
        if (known is None) != (number in columns.refused):
            wrong.append(f"account {number}: the law {'does not decide' if known is None else 'decides'} it, the rules do otherwise")
        elif known is not None:
            if each["accounts"][0].get("one_off_due"):
                known = replace(known, awards=(*known.awards, Award(pence_for_year=int(one_off * 100))))
            wrong += [f"account {number}: {text}" for text in differences(council, each, known, worked, number)]
    assert wrong == []
    assert count / 20 < refused < count * 9 / 10


@pytest.mark.parametrize("name", rules().council_names)
def test_no_council_goes_beyond_the_law(name: str) -> None:
    # The rules take the lower of a council's premium and the limit of the Act; the independent calculation refuses what is above it.
    council = rules().council(name)
    for year in council.years():
        assert council_of(council.program(year)).areas


def test_a_premium_beyond_the_law_is_found() -> None:
    program = CHANGING.program
    alone = replace(program, periods=program.periods[:1])
    with pytest.raises(ValueError, match=r"s\.11B|s\.11C"):
        council_of(alone)
