"""Rare things of Housing Benefit, each as one claim written by hand: the statute and the rules award the same.

Random claims seldom meet them, or meet them together with something else.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from agreement.accounts import EPOCH, Record, Records
from agreement.housing_benefit.mapping import claims_of, lets_of
from agreement.housing_benefit.scenes import program_of
from agreement.housing_benefit.test_housing_benefit_agreement import Span, by_rules, exactly
from independent.council_tax_reduction.facts import MissingFactError
from independent.housing_benefit.award import awards, pieces
from rbcalc_kernels.exact.faults import CalculationFault

OLD, YOUNG = date(1950, 6, 1), date(1985, 6, 1)
LONG_AGO = date(2010, 1, 4)
Spell = tuple[date, dict[str, Any]]
"""From a day on these facts are others: by register, of the claimant `p`, the partner `q`, a child `c` or a non-dependant `n`."""


def day(when: date) -> int:
    return when.toordinal() - EPOCH


def code(value: Any) -> Any:
    return day(value) if isinstance(value, date) else Fraction(value) if isinstance(value, (int, str)) and _number(value) else value


def _number(value: Any) -> bool:
    return not isinstance(value, bool) and str(value).replace(".", "", 1).isdigit()


def rows(spells: list[Spell], name: str, first: dict[str, Any], key: dict[str, Any]) -> list[Record]:
    """A register's records: what is known at first, and from each day what is other than before; None ends it."""
    found: list[Record] = []
    held: dict[str, Any] | None = dict(first) if first else None
    begins = LONG_AGO
    for when, changed in [*spells, (date(2100, 1, 1), {name: None})]:
        if name not in changed:
            continue
        if held is not None:
            row = {"from": day(begins), "to": None if when.year == 2100 else day(when) - 1}
            found.append({**key, **{fact: code(value) for fact, value in held.items()}, **row})
        begins = when
        held = None if changed[name] is None else {**(held or {}), **changed[name]}
    return found


def records_of(spells: list[Spell], **first: dict[str, Any]) -> Records:
    rent = {"tenure": "registered_provider", "rent_rules": "social_sector", "rent_frequency": "weekly", "rent": "140", "bedrooms": 1}
    people = {
        "p": {"role": "applicant", "born": YOUNG},
        "q": {"role": "partner", "born": YOUNG},
        "c": {"role": "child", "born": date(2018, 5, 5), "sex": "female"},
    }
    household, incomes = [], []
    for key, base in people.items():
        given = first.get(key)
        whole = [(when, {key: {**base, **facts[key]} if facts[key] is not None else None}) for when, facts in spells if key in facts]
        household += rows(whole, key, {**base, **(given or {})} if key == "p" or given is not None else {}, {"claim": "k", "person": key})
        paid = {name for name in (*first, *(name for _, facts in spells for name in facts)) if name.startswith(f"{key}_")}
        for name in sorted(paid):
            kind = {"person": key, "income_kind": name[2:], "frequency": "weekly"}
            incomes += rows(spells, name, first.get(name, {}), kind)
    return {
        "tenancies": [{"account": "a", "from": day(first.get("home", {}).get("from", LONG_AGO)), "to": None}],
        "rents": rows(spells, "rent", {**rent, **first.get("rent", {})}, {"account": "a"}),
        "charges": rows(spells, "charge", first.get("charge", {}), {"account": "a"}),
        "claims": rows(spells, "claim", {"capital": "0", **first.get("claim", {})}, {"account": "a", "claim": "k"}),
        "household": household,
        "incomes": incomes,
        "non_dependants": rows(spells, "n", first.get("n", {}), {"claim": "k", "non_dependant": "n"}),
    }


def both(year: int, spells: list[Spell], **first: dict[str, Any]) -> tuple[list[Span], list[Span]]:
    """The awards of a year by the statute and by the rules."""
    records, program = records_of(spells, **first), program_of(year)
    lets = lets_of(records, program.first_day, program.last_day)
    found = [piece for claim in claims_of(records, program.first_day, program.last_day) for piece in pieces(claim, lets)]
    statute = [Span(award.first, award.last, award.a_week, award.pounds) for award in awards(found, year)]
    return statute, by_rules(exactly(year).row(records), year)


PENSIONER = {"p": {"born": OLD}}
CLAIMED = {"claim": {"claimed_on": date(2025, 6, 11), "liable_since": date(2025, 6, 11)}, "home": {"from": date(2025, 6, 11)}}
MOVED_IN: dict[str, dict[str, Any]] = {
    **PENSIONER,
    "claim": {"claimed_on": date(2025, 6, 13)},
    "home": {"from": date(2025, 6, 11)},
    "rent": {"moved_in_on": date(2025, 6, 11)},
}
TEESSIDE = {
    "tenure": "private_landlord",
    "rent_rules": "local_housing_allowance",
    "broad_rental_market_area": "teesside",
    "rent": "200",
    "bedrooms": 2,
}
EASTER: dict[str, dict[str, Any]] = {
    **PENSIONER,
    "claim": {"claimed_on": date(2026, 4, 2), "liable_since": date(2026, 4, 2)},
    "p_state_pension": {"amount": "290"},
}
CASES: dict[str, tuple[int, list[Spell], dict[str, dict[str, Any]]]] = {
    "change in the week of the first Monday in April": (
        2025,
        [(date(2025, 4, 11), {"p_state_pension": {"amount": "300"}, "q": {"born": OLD}})],
        PENSIONER,
    ),
    "the same with rent by the month": (
        2025,
        [(date(2025, 4, 3), {"p_occupational_pension": {"amount": "300"}})],
        {**PENSIONER, "rent": {"rent_frequency": "monthly", "rent": "600"}},
    ),
    "change in the week in which the claim begins": (2025, [(date(2025, 6, 13), {"p_employed_earnings": {"amount": "200"}})], CLAIMED),
    "home by the month that begins on 3 April, and a change on 9 April": (
        2025,
        [(date(2025, 4, 9), {"p_occupational_pension": {"amount": "320"}})],
        {
            **PENSIONER,
            "claim": {"claimed_on": date(2025, 4, 3), "liable_since": date(2025, 4, 3)},
            "home": {"from": date(2025, 4, 3)},
            "rent": {"rent_frequency": "monthly", "rent": "600"},
        },
    ),
    "claim in the week of moving in": (2025, [], MOVED_IN),
    "claim in the week of moving in, and a move in November": (
        2025,
        [(date(2025, 11, 5), {"rent": {"moved_in_on": date(2025, 11, 5), "rent": "120"}})],
        MOVED_IN,
    ),
    "claim some weeks before moving in": (
        2025,
        [],
        {**PENSIONER, "claim": {"claimed_on": date(2025, 6, 2)}, "rent": {"moved_in_on": date(2025, 6, 20)}},
    ),
    "move to a home with the same rent, and a change in that week": (
        2025,
        [
            (date(2025, 11, 5), {"rent": {"moved_in_on": date(2025, 11, 5)}}),
            (date(2025, 11, 7), {"p_employed_earnings": {"amount": "320"}}),
        ],
        {},
    ),
    "claim that begins before the first Monday in April, recorded from March": (
        2026,
        [],
        {**EASTER, "home": {"from": date(2026, 3, 31)}, "rent": {"moved_in_on": date(2026, 4, 2)}},
    ),
    "pension that rises on 7 April, rent by the month": (
        2025,
        [(date(2025, 4, 7), {"p_state_pension": {"amount": "320"}})],
        {**PENSIONER, "p_state_pension": {"amount": "300"}, "rent": {"rent_frequency": "monthly", "rent": "600"}},
    ),
    "partner with a pension who joins in April": (
        2025,
        [(date(2025, 4, 9), {"q": {"born": OLD}, "q_state_pension": {"amount": "240"}})],
        {**PENSIONER, "p_state_pension": {"amount": "260"}, "rent": {"rent_frequency": "monthly", "rent": "600"}},
    ),
    "change in the week in which the benefit cap began": (2013, [(date(2013, 7, 17), {"p_employed_earnings": {"amount": "120"}})], {}),
    "change in the week of the forces' payment": (2013, [(date(2013, 4, 12), {"p_employed_earnings": {"amount": "120"}})], {}),
    "savings credit and a rent change in one week": (
        2025,
        [
            (
                date(2025, 6, 10),
                {
                    "p": {"born": OLD, "passport": "savings_credit"},
                    "p_savings_credit": {"amount": "5"},
                    "claim": {"assessed_income": "250", "assessed_income_earnings_left_out": "0"},
                },
            ),
            (date(2025, 6, 12), {"rent": {"rent": "150"}}),
        ],
        {**PENSIONER, "p_state_pension": {"amount": "290"}},
    ),
    "savings credit falls on the day on which the rent falls to where nothing is due": (
        2025,
        [
            (
                date(2025, 6, 14),
                {"p_savings_credit": {"amount": "5"}, "claim": {"assessed_income": "415"}, "rent": {"rent": "100"}},
            ),
            (date(2025, 9, 6), {"rent": {"rent": "150"}}),
        ],
        {
            "p": {"born": date(1949, 1, 1), "passport": "savings_credit"},
            "p_savings_credit": {"amount": "10"},
            "claim": {"assessed_income": "489.20", "assessed_income_earnings_left_out": "0"},
            "rent": {"rent": "150"},
        },
    ),
    "a bedroom fewer in the week in which guarantee credit falls": (
        2025,
        [(date(2025, 10, 29), {"q": None, "p_guarantee_credit": {"amount": "42.90"}, "claim": {"told_on": date(2025, 11, 14)}})],
        {
            "p": {"born": OLD, "passport": "guarantee_credit", "cannot_share_bedroom": True},
            "q": {"born": OLD},
            "p_guarantee_credit": {"amount": "94.20"},
            "rent": TEESSIDE,
        },
    ),
    "a bedroom more in the week in which guarantee credit rises": (
        2025,
        [(date(2025, 10, 29), {"q": {"born": OLD}, "p_guarantee_credit": {"amount": "94.20"}, "claim": {"told_on": date(2025, 11, 14)}})],
        {
            "p": {"born": OLD, "passport": "guarantee_credit", "cannot_share_bedroom": True},
            "p_guarantee_credit": {"amount": "42.90"},
            "rent": TEESSIDE,
        },
    ),
    "guarantee credit that is reduced late": (
        2025,
        [(date(2025, 9, 3), {"p": {"born": OLD, "passport": None}, "p_guarantee_credit": None})],
        {"p": {"born": OLD, "passport": "guarantee_credit"}, "p_guarantee_credit": {"amount": "30"}, "p_state_pension": {"amount": "290"}},
    ),
    "better news, told late": (
        2025,
        [(date(2025, 6, 11), {"p_employed_earnings": {"amount": "110"}, "claim": {"told_on": date(2025, 8, 1)}})],
        {"p_employed_earnings": {"amount": "190"}},
    ),
    "worse news, told late": (
        2025,
        [(date(2025, 6, 11), {"p_employed_earnings": {"amount": "190"}, "claim": {"told_on": date(2025, 8, 1)}})],
        {"p_employed_earnings": {"amount": "110"}},
    ),
    "a couple who cannot share": (
        2013,
        [],
        {"p": {"cannot_share_bedroom": True}, "q": {}, "rent": {"bedrooms": 2}},
    ),
    "a child who cannot share, from 4 December 2013": (
        2013,
        [],
        {"c": {"born": date(2009, 5, 5), "cannot_share_bedroom": True}, "rent": {"bedrooms": 3}},
    ),
    "widowed parent's allowance and the cap": (
        2024,
        [],
        {
            "p": {"passport": "income_support"},
            "c": {},
            "p_income_support": {"amount": "90.50"},
            "p_widowed_parents_allowance": {"amount": "148.40"},
            "p_child_benefit": {"amount": "25.60"},
            "rent": {"rent": "250"},
        },
    ),
    "the cap and an allowance of which no amount is recorded, of a home whose rent is below the cap": (
        2025,
        [],
        {"p": {"passport": "esa_income_related"}, "p_self_employed_earnings": {"amount": "240"}, "rent": {"rent": "280"}},
    ),
    "what is paid for a student beside the additional disregard": (
        2025,
        [],
        {"p": {"weekly_work": 30, "parental_contribution": "60"}, "p_employed_earnings": {"amount": "180"}, "claim": {"capital": "6100"}},
    ),
    "meals that the rent officer's figure has in it, at the turn of the year": (
        2026,
        [],
        {
            **PENSIONER,
            "rent": {
                "tenure": "private_landlord",
                "rent_rules": "rent_officer",
                "claim_related_rent": "130",
                "determination_includes_meals": True,
                "rent": "190",
            },
            "charge": {"charge_kind": "full_board", "people": 1},
        },
    ),
    "the cap and weeks without rent": (
        2025,
        [],
        {"p": {"passport": "income_support"}, "claim": {"benefits_for_cap": "400"}, "rent": {"rent_free_weeks": 2}},
    ),
    "the cap is told of in a week": (
        2025,
        [(date(2025, 9, 3), {"claim": {"benefits_for_cap": "250"}}), (date(2025, 11, 5), {"claim": {"benefits_for_cap": "200"}})],
        {"p": {"passport": "income_support"}},
    ),
    "a death, a rent officer's figure and a reasonable rent": (
        2024,
        [],
        {
            "rent": {
                "rent_rules": "rent_officer",
                "claim_related_rent": "120",
                "reasonable_rent": "110",
                "linked_person_died_on": date(2024, 9, 16),
                "protected_rent": "130",
            }
        },
    ),
    "a death in a pensioner's council home": (
        2024,
        [],
        {**PENSIONER, "rent": {"linked_person_died_on": date(2024, 9, 16), "protected_rent": "160"}},
    ),
    "a death in supported housing": (
        2024,
        [],
        {"rent": {"rent_rules": "exempt_accommodation", "reasonable_rent": "110", "linked_person_died_on": date(2024, 9, 16)}},
    ),
    "two weeks on the way to Universal Credit": (
        2024,
        [
            (date(2024, 9, 4), {"claim": {"universal_credit_run_on": True}, "p": {"passport": "universal_credit"}}),
            (date(2024, 9, 18), {"claim": None, "p": None, "p_employed_earnings": None}),
        ],
        {"p_employed_earnings": {"amount": "200"}},
    ),
    "an extended payment": (
        2025,
        [
            (date(2025, 6, 16), {"p": {"passport": None}, "p_employed_earnings": {"amount": "300"}, "claim": {"extended_payment": "140"}}),
            (date(2025, 7, 21), {"claim": {"extended_payment": None}}),
        ],
        {"p": {"passport": "jsa_income_based"}},
    ),
    "four weeks while pension credit is claimed": (
        2025,
        [(date(2025, 6, 16), {"claim": {"continuing_reduction": True}}), (date(2025, 7, 14), {"claim": {"continuing_reduction": False}})],
        {**PENSIONER, "p_state_pension": {"amount": "300"}},
    ),
    "an under-18 non-dependant and the severe disability premium": (
        2024,
        [],
        {
            "p": {"care_benefit": "pip_daily_living_standard", "cared_for": False},
            "n": {"born": date(2007, 9, 4), "in_work": False},
            "p_esa_contributory": {"amount": "250"},
            "rent": {"bedrooms": 2},
        },
    ),
    "capital beyond the limit in the week of a rent change": (
        2025,
        [(date(2025, 6, 10), {"claim": {"capital": "17000"}}), (date(2025, 6, 12), {"rent": {"rent": "150"}})],
        {},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_statute_and_the_rules_award_the_same(name: str) -> None:
    year, spells, first = CASES[name]
    statute, rules = both(year, spells, **first)
    assert rules == statute
    assert sum(span.pounds for span in statute) > 0


def test_above_the_cap_with_a_benefit_of_no_recorded_amount_both_ask_for_it() -> None:
    records = records_of([], p={"passport": "esa_income_related"}, rent={"rent": "291.51"})
    program = program_of(2024)
    (claim,), lets = (found(records, program.first_day, program.last_day) for found in (claims_of, lets_of))
    with pytest.raises(MissingFactError, match="counts for the benefit cap"):
        pieces(claim, lets)
    with pytest.raises(CalculationFault, match="no amount is recorded"):
        exactly(2024).row(records)


def test_a_home_of_the_first_days_of_april_is_not_paid_the_amounts_of_the_year_before_monday() -> None:
    """The order is in force for rents by the week from Monday only: the claim is right, or refused with what to record."""
    try:
        statute, rules = both(2026, [], **EASTER, home={"from": date(2026, 4, 2)})
    except CalculationFault:
        return
    assert rules == statute
