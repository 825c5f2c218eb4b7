"""Claims of a sample: as many as are published, consistent with the people and inside, and none that the rules refuse."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rbcalc.rulebook.rules import Rules
from rbcalc.sampling.sample import Summary, sample
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.spells import build
from sample.tables import Table, by, read
from sample.test_cases import plain

YEAR_START, YEAR_END = date(2025, 4, 1), date(2026, 3, 31)
CLAIMED = ("claims", "household", "incomes", "non_dependants")


def groups(made: Summary, council: str) -> dict[str, dict[str, Any]]:
    return dict(made.manifest["subjects"]["council_tax"]["councils"][council]["groups"])


# ------------------------------------------------------------------------------------------------------------------------------- numbers
def test_the_numbers_of_claims_are_those_of_the_profile(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="east_hertfordshire", year="2026-27", out=tmp_path)
    assert made.total == 68_020
    found = groups(made, "east_hertfordshire")
    assert {name: told["dwellings"] for name, told in found.items()} == {
        "claims": 5210,
        "pension_age_claims": 2300,
        "working_age_claims": 2910,
    }
    assert found["claims"]["from"] == "counts.support_claims of 2022"
    situations = made.situations["east_hertfordshire"]
    working = sum(count for name, (count, _) in situations.items() if name.startswith("working_age_"))
    credit = sum(count for name, (count, _) in situations.items() if name.startswith("working_age_universal_credit"))
    assert working == pytest.approx(2910, abs=3)
    assert credit / working > 0.75
    accounts = {row["account"] for row in read(made, "claims").to_pylist()}
    assert len(accounts) == pytest.approx(5210, abs=5)


def test_claims_lie_in_the_bands_in_which_the_return_has_support(small: Summary, tables: dict[str, Table]) -> None:
    dwellings = {row["account"]: row["dwelling"] for row in tables["accounts"]}
    bands = {row["dwelling"]: row["band"] for row in tables["dwellings"]}
    of = Counter(bands[dwellings[row["account"]]] for row in tables["claims"])
    share = {band: of[band] / count for band, count in small.members["redcar_and_cleveland"].items() if count > 200}
    assert share["A"] > share["B"] > share["C"] > share["D"]


def test_nobody_had_universal_credit_before_it_came(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="hartlepool", year="2013-14", dwellings=5000, out=tmp_path)
    told = made.situations["hartlepool"]
    assert not sum(count for name, (count, _) in told.items() if "universal_credit" in name)
    assert not {row["universal_credit_award"] for row in read(made, "claims").to_pylist()} - {None}


def test_without_a_scheme_that_is_known_there_are_claims_of_pension_age_alone(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="bcp", year="2026-27", dwellings=3000, out=tmp_path)
    found = groups(made, "bcp")
    assert found["working_age_claims"] == {"dwellings": 0, "from": "left out"}
    assert found["pension_age_claims"]["dwellings"] == 198
    assert len(made.notes) == 1 and "no scheme of the council for people of working age is known" in made.notes[0]
    oldest = max(row["born"] for row in read(made, "household").to_pylist() if row["role"] == "applicant")
    assert oldest < date(1960, 4, 1)


def test_what_a_council_leaves_out_is_not_made(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="dorset", year="2024-25", dwellings=5000, out=tmp_path)
    told = made.situations["dorset"]
    assert not any(count for name, (count, _) in told.items() if "universal_credit" in name and name.startswith("working_age"))
    assert groups(made, "dorset")["working_age_claims"]["dwellings"] > 250
    assert sum(count for name, (count, _) in told.items() if name.startswith("working_age_passported")) > 50
    assert any("left out" in note for note in made.notes)


def test_a_busy_year_has_as_many_changes_as_were_counted(rules: Rules, tmp_path: Path) -> None:
    """6,770 new claims and 21,032 changes on 12,249 claims."""
    made = sample(rules, council="weymouth_and_portland", year="2014-15", changing="busy", out=tmp_path)
    tables = {name: read(made, name).to_pylist() for name in CLAIMED}
    claims = len({row["account"] for row in tables["claims"]})
    assert claims == pytest.approx(5889, rel=0.05)
    new = sum(row["claimed_on"] is not None and row["claimed_on"] == row["from"] for row in tables["claims"])
    begun = {claim: min(row["from"] for row in rows) for claim, rows in by(tables["claims"], "claim").items()}
    of = {row["person"]: row["claim"] for row in tables["household"]}
    days = {
        (claim, row["from"])
        for name in CLAIMED
        for row in tables[name]
        for claim in [row.get("claim") or of[row["person"]]]
        if row["from"] > max(begun[claim], date(2014, 4, 1))
    }
    assert new / claims == pytest.approx(6770 / 12_249, rel=0.05)
    assert len(days) / claims == pytest.approx(21_032 / 12_249, rel=0.05)


# --------------------------------------------------------------------------------------------------------------- claims and the dwelling
def test_claims_are_of_main_homes_that_are_not_exempt(tables: dict[str, Table]) -> None:
    dwellings = by(tables["dwellings"], "dwelling")
    accounts = {row["account"]: row["dwelling"] for row in tables["accounts"]}
    for claim in tables["claims"]:
        held = dwellings[accounts[claim["account"]]]
        assert [(row["occupation"], row["exemption"], row["prescribed_class"]) for row in held] == [("main_home", None, None)]


def test_everybody_in_a_claim_also_lives_in_the_dwelling(tables: dict[str, Table]) -> None:
    accounts = {row["account"]: row["dwelling"] for row in tables["accounts"]}
    claims = {row["claim"]: accounts[row["account"]] for row in tables["claims"]}
    people: dict[str, set[Any]] = {name: {row["birth_date"] for row in rows} for name, rows in by(tables["people"], "dwelling").items()}
    assert all(row["born"] in people[claims[row["claim"]]] for row in tables["household"])
    heads = Counter({name: len(rows) for name, rows in by(tables["people"], "dwelling").items()})
    for claim, rows in by(tables["non_dependants"], "claim").items():
        persons = {row["person"] for row in tables["household"] if row["claim"] == claim}
        others = {row["non_dependant"]: bool(row["couple"]) for row in rows}
        assert heads[claims[claim]] >= len(persons) + len(others) + sum(others.values())


def test_a_claim_has_one_applicant_on_each_of_its_days(tables: dict[str, Table]) -> None:
    household = by(tables["household"], "claim")
    for claim in tables["claims"]:
        for day in (max(claim["from"], YEAR_START), min(claim["to"] or YEAR_END, YEAR_END)):
            there = [row for row in household[claim["claim"]] if row["from"] <= day <= (row["to"] or YEAR_END)]
            assert [row["role"] for row in there].count("applicant") == 1, claim
            assert [row["role"] for row in there].count("partner") <= 1


def test_nothing_of_a_claim_hangs_in_the_air_and_no_records_overlap(tables: dict[str, Table]) -> None:
    assert {row["account"] for row in tables["claims"]} <= {row["account"] for row in tables["accounts"]}
    assert {row["claim"] for row in tables["household"]} == {row["claim"] for row in tables["claims"]}
    assert {row["claim"] for row in tables["non_dependants"]} <= {row["claim"] for row in tables["claims"]}
    assert {row["person"] for row in tables["incomes"]} <= {row["person"] for row in tables["household"]}
    alone = [row for row in tables["claims"] if (row["jointly_liable"] or 1) == 1]  # who are jointly liable may claim beside each other
    for table, key in (("claims", "claim"), ("claims", "account"), ("household", "person"), ("non_dependants", "non_dependant")):
        for rows in by(alone if key == "account" else tables[table], key).values():
            held = sorted((row["from"], row["to"] or date.max) for row in rows)
            assert all(before[1] < after[0] for before, after in pairwise(held))


# ------------------------------------------------------------------------------------------------------------------------- facts inside
def test_the_facts_without_which_the_rules_refuse_are_there(tables: dict[str, Table]) -> None:
    passports = {row["claim"]: row["passport"] for row in tables["household"] if row["passport"] is not None}
    for claim in tables["claims"]:
        passport = passports.get(claim["claim"])
        assert claim["capital"] is not None or passport in ("guarantee_credit", "income_support", "jsa_income_based", "esa_income_related")
        told = [claim[f"universal_credit_{name}"] for name in ("award", "maximum", "earnings", "other_income")]
        assert len({figure is None for figure in told}) == 1
        assert told[0] is None or told[0] <= told[1]
        assert (passport == "savings_credit") == (claim["assessed_income"] is not None)
    assert all(row["in_work"] is not None for row in tables["non_dependants"])
    assert all(row["exempt_work_limit"] is not None for row in tables["household"] if row["exempt_work"])
    earners = {row["person"] for row in tables["incomes"] if row["income_kind"] == "self_employed_earnings"}
    assert all(row["self_employed_since"] is not None for row in tables["household"] if row["person"] in earners)


def test_every_member_of_the_lists_of_claims_occurs(rules: Rules, tables: dict[str, Table]) -> None:
    program = rules.council("redcar_and_cleveland").program("2025-26")
    for name in ("income_kind", "frequency", "role", "passport", "care_benefit", "esa_component", "non_dependant_exemption"):
        columns = (name, "exempt_because", "passport")  # the benefits that decide by themselves stand there
        found = {value for table in CLAIMED for row in tables[table] for column, value in row.items() if column in columns}
        assert set(program.lists[name].members) <= found, name


def test_claims_stand_on_and_beside_their_limits(rules: Rules, tables: dict[str, Table]) -> None:
    capital = Counter(row["capital"] for row in tables["claims"])
    assert all(capital[Decimal(figure)] for figure in ("10000.00", "10000.01", "10500.00", "10500.01", "16000.00", "16000.01"))
    assert capital[Decimal("6000.00")] and capital[Decimal("6000.01")]
    gross = Counter(row["gross_income"] for row in tables["non_dependants"])
    edges = rules.council("redcar_and_cleveland").program("2025-26").tables["work_deduction"].by_period[0].rows[()][0]
    for edge in edges[1:]:
        figure = Decimal(Fraction(edge).numerator) / Fraction(edge).denominator
        assert gross[figure] and gross[figure - Decimal("0.01")]
    assert {row["jointly_liable"] for row in tables["claims"]} >= {None, 2, 3}


def test_claims_change_within_the_year(tables: dict[str, Table]) -> None:
    def inside(day: date | None) -> bool:
        return day is not None and YEAR_START < day < YEAR_END

    assert sum(inside(row["claimed_on"]) for row in tables["claims"]) > 10
    assert sum(inside(row["to"]) for row in tables["claims"]) > 10
    assert {row["from"].weekday() for row in tables["incomes"] if inside(row["from"])} >= {1, 2, 3}
    assert sum(inside(row["moved_in"]) for row in tables["non_dependants"]) > 2
    assert any(row["moved_in"] and YEAR_START < row["moved_in"] + timedelta(weeks=26) < YEAR_END for row in tables["non_dependants"])
    claims = by(tables["claims"], "account")
    assert sum(len({row["claim"] for row in rows}) > 1 for rows in claims.values()) >= 4


# ------------------------------------------------------------------------------------------------------------------------ no refusals
@pytest.mark.parametrize(("council", "year"), [("redcar_and_cleveland", "2025-26"), ("hartlepool", "2026-27")])
def test_a_claim_of_each_kind_can_be_worked_out(rules: Rules, council: str, year: str, tmp_path: Path) -> None:
    """Under a scheme with a means test and one with a grid."""
    made = sample(rules, council=council, year=year, dwellings=1000, out=tmp_path)
    tables = {name: read(made, name).to_pylist() for name in made.tables}
    held = {name: by(tables[name], column) for name, column in (("dwellings", "dwelling"), ("people", "dwelling"), ("claims", "account"))}
    held |= {
        name: by(tables[name], column) for name, column in (("household", "claim"), ("incomes", "person"), ("non_dependants", "claim"))
    }
    accounts = {row["account"]: row for row in tables["accounts"]}
    program = rules.council(council).program(year)
    seen: set[tuple[Any, ...]] = set()
    worked = 0
    for number, claims in held["claims"].items():
        keys = list(dict.fromkeys(row["claim"] for row in claims))
        household = [row for key in keys for row in held["household"][key]]
        people = list(dict.fromkeys(row["person"] for row in household))
        incomes = [row for person in people for row in held["incomes"][person]]
        others = [row for key in keys for row in held["non_dependants"][key]]
        kind = (
            household[0]["passport"],
            household[0]["born"] < date(1958, 4, 1),
            claims[0]["universal_credit_housing"] is None,
            bool(others),
        )
        if kind in seen:
            continue
        seen.add(kind)
        account = accounts[number]
        rows = {"accounts": [account], "claims": claims, "household": household, "incomes": incomes, "non_dependants": others}
        rows |= {name: held[name][account["dwelling"]] for name in ("dwellings", "people")}
        root = build(program, {name: [plain(row) for row in found] for name, found in rows.items()})
        Evaluator(program, None).run(root, None)
        assert root.values["council_tax_reduction"] >= 0
        worked += 1
    assert worked >= 8
