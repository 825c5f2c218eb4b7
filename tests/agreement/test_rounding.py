"""Exact halves, found by search: half a penny of a charge or a reduction and half a pound of an instalment go up in all three.

So few accounts repay no machine code: the generated source runs as plain Python, in some scenes as machine code, and in the
nightly run in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

import pytest

from agreement.accounts import Record, Records
from agreement.both import Compiling, Exactly, differences
from agreement.mapping import account_of, council_of, instalments_of
from agreement.scenes import SCENES, TOTAL, Scene
from independent.council_tax import bill
from rbcalc_kernels.program.graph import Program, Ref

HALF = Fraction(1, 2)
PEOPLE = {Fraction(1): (None, None), Fraction(3, 4): (None,), HALF: ("student_nurse",)}
"""Who lives there so that this share of the amount is charged: the reasons why they do not count."""
MOST = 60
MACHINE = SCENES if TOTAL > 50_000 else [SCENES[0], SCENES[-1]]


def account(program: Program, area: str, band: str, days: int, share: Fraction, **facts: object) -> Records:
    """So many days up to the end of the year."""
    first = program.last_day - days + 1
    born = first - 50 * 365
    people: list[Record] = [
        {"dwelling": "d", "from": first, "to": None, "birth_date": born, "disregard": reason} for reason in PEOPLE[share]
    ]
    return {
        "accounts": [{"account": "a", "dwelling": "d", "from": first, "to": None, **facts}],  # type: ignore[dict-item]
        "dwellings": [{"dwelling": "d", "from": first, "to": None, "band": band, "area": area, "occupation": "main_home"}],
        "people": people,
    }


def halves(program: Program, reduction: Fraction = Fraction(1)) -> Iterator[tuple[Records, Fraction]]:
    """Accounts whose exact charge, or reduction at a rate, in pence ends in one half."""
    year = program.last_day - program.first_day + 1
    born = program.first_day - 20 * 365
    for (area, band), (_, (amount,)) in program.tables["amount_for_band"].by_period[0].rows.items():
        for share in PEOPLE if band != "A_reduced" else ():
            for days in range(1, year + 1):
                exact = Fraction(amount) * 100 * share * reduction * days / year
                if exact.denominator == 2:
                    yield account(program, area, band, days, share, **({"care_leaver_birth_date": born} if reduction != 1 else {})), exact


def agreed(scene: Scene, records: list[Records], name: str) -> list[Fraction]:
    """The account's figure in pence, in which both evaluators agree."""
    program = scene.program
    compiling, exactly = Compiling(program, engine=None if scene in MACHINE else "python"), Exactly(program)
    compiled = compiling.run(records).settled(exactly, records, compiling.compiled.denominators)
    assert differences(exactly.run(records, compiling.compiled.denominators), compiled) == []
    ref = Ref("account", name)
    return [Fraction(int(code), compiling.compiled.denominators.get(ref, 1)) * 100 for code in compiled.values[ref]]


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_half_a_penny_goes_up(scene: Scene) -> None:
    found = list(halves(scene.program))
    if not found:
        amounts = [Fraction(values[0]) * 100 for _, values in scene.program.tables["amount_for_band"].by_period[0].rows.values()]
        assert all(amount % 2 == 0 for amount in amounts if amount.denominator == 1), "an odd amount would be halved for the whole year"
        return
    found = found[:: -(-len(found) // MOST)]
    records = [each for each, _ in found]
    wanted = [floor(exact) + 1 for _, exact in found]
    assert agreed(scene, records, "charge_total") == wanted
    council = council_of(scene.program)
    assert [bill(council, account_of(each, Fraction(0))).total_pence for each in records] == wanted


def test_half_a_penny_of_a_reduction_goes_up() -> None:
    scene = SCENES[-1]
    rates = [Fraction(scene.program.parameters[name].by_period[0]) for name in ("care_leaver_reduction", "care_leaver_shared_reduction")]
    found = [(each, exact) for each, exact in halves(scene.program, rates[1]) if len(each["people"]) == 2]
    assert rates[1] == HALF and len(found) > 3
    found = found[:MOST]
    wanted = [floor(exact) + 1 for _, exact in found]
    assert agreed(scene, [each for each, _ in found], "reductions") == wanted
    council = council_of(scene.program)
    assert [bill(council, account_of(each, Fraction(0))).reduction_pence for each, _ in found] == wanted


@pytest.mark.parametrize("scene", [SCENES[0], SCENES[-1]], ids=str)
def test_half_a_pound_of_an_instalment_goes_up(scene: Scene) -> None:
    program, council = scene.program, council_of(scene.program)
    area, records, wanted = program.lists["area"].members[0], [], []
    for band in "ABCDEFGH":
        for count, facts in ((10, {}), (12, {"twelve_instalments": True})):
            plain = account(program, area, band, program.last_day - program.first_day + 1, Fraction(1), **facts)
            total = bill(council, account_of(plain, Fraction(0))).net_pence
            aim = total // (count * 100) * count * 100 - count * 50
            plain["accounts"][0]["discretionary_reduction"] = Fraction(total - aim, 100)
            records.append(plain)
            wanted.append((aim // count // 100 + 1) * 100)
            amounts, _, _ = instalments_of(plain, council.year_start, aim)
            assert amounts[1:] == [wanted[-1]] * (count - 1)
    assert agreed(scene, records, "other_instalment") == wanted
