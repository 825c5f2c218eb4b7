"""Homes of a sample: they go with the claims of tenants, as the claims and the council have it, and no rule refuses one."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rbcalc.rulebook.rules import Rules, load
from rbcalc.running.rebill import rebill
from rbcalc.sampling.sample import Summary, sample
from rbcalc_kernels.source import RulesError
from sample.tables import Table, by, read

HOMES = ("tenancies", "rents", "charges", "payments", "recoveries", "earlier_overpayments")
TENANTS = {"council_tenant", "housing_association_tenant", "private_tenant"}


@pytest.fixture(scope="session")
def first_claims(tables: dict[str, Table]) -> dict[str, dict[str, Any]]:
    """The claim of each account that was made first: the home goes with it."""
    return {account: min(rows, key=lambda row: row["from"]) for account, rows in by(tables["claims"], "account").items()}


# ------------------------------------------------------------------------------------------------------------ tables beside the claims
def test_the_tables_of_homes_are_told_apart(small: Summary) -> None:
    made = small.of("council_tax")
    assert dict(made.beside) == dict.fromkeys(HOMES, "housing_benefit")
    assert not set(made.tables) & set(HOMES)
    assert small.manifest["subjects"]["council_tax"]["tables_beside"] == dict(made.beside)


def test_the_first_table_of_a_subject_says_whose_homes_they_are(tables: dict[str, Table]) -> None:
    assert {row["council"] for row in tables["tenancies"]} == {"redcar_and_cleveland"}
    assert "council" not in tables["rents"][0]


def test_nothing_of_a_home_hangs_in_the_air(tables: dict[str, Table]) -> None:
    homes = {row["account"] for row in tables["tenancies"]}
    assert len(homes) == len(tables["tenancies"]) > 300
    assert homes == {row["account"] for row in tables["rents"]}
    for name in HOMES[2:]:
        assert {row["account"] for row in tables[name]} <= homes, name
    assert homes <= {row["account"] for row in tables["claims"]}


def test_rents_of_one_home_follow_each_other(tables: dict[str, Table]) -> None:
    several = [rows for rows in by(tables["rents"], "account").values() if len(rows) > 1]
    assert several
    for rows in several:
        held = sorted((row["from"], row["to"] or date.max) for row in rows)
        assert all(before[1].toordinal() + 1 == after[0].toordinal() for before, after in pairwise(held))


# ------------------------------------------------------------------------------------------------------------------- when, and how often
def test_homes_go_with_the_claims_of_tenants(tables: dict[str, Table], first_claims: dict[str, dict[str, Any]]) -> None:
    landlords: dict[str, set[str]] = defaultdict(set)
    for row in tables["rents"]:
        landlords[first_claims[row["account"]]["tenure"]].add(row["tenure"])
    assert landlords == {
        "council_tenant": {"council_within_rent_account", "council_outside_rent_account"},
        "housing_association_tenant": {"registered_provider"},
        "private_tenant": {"private_landlord"},
    }


def test_what_hangs_on_a_blank_column_and_on_a_given_one(tables: dict[str, Table], first_claims: dict[str, dict[str, Any]]) -> None:
    """Whose Universal Credit has a housing element has no home here; without it the home is supported or temporary."""
    kinds = Counter[Any]()
    for row in tables["rents"]:
        claim = first_claims[row["account"]]
        special = row["specified_accommodation"] or row["temporary_accommodation"] is not None
        kinds[claim["universal_credit_maximum"] is not None, bool(special)] += 1
        assert claim["universal_credit_housing"] is None
    assert kinds[True, False] == 0
    assert kinds[True, True] > 20
    assert kinds[False, False] > 250


def test_a_home_is_there_once_for_two_claims(tables: dict[str, Table]) -> None:
    two = {account for account, rows in by(tables["claims"], "account").items() if len({row["claim"] for row in rows}) > 1}
    homes = Counter(row["account"] for row in tables["tenancies"])
    assert [homes[account] for account in two if account in homes]
    assert max(homes.values()) == 1


def test_later_rows_of_a_person_or_a_claim_say_the_same(tables: dict[str, Table]) -> None:
    for table, key, columns in (
        ("household", "person", ("sex",)),
        ("non_dependants", "non_dependant", ("born",)),
        ("claims", "claim", ("tenure",)),
    ):
        several = [rows for rows in by(tables[table], key).values() if len(rows) > 1]
        assert several, table
        assert all(len({row[column] for row in rows}) == 1 for rows in several for column in columns), table


# ------------------------------------------------------------------------------------------------------------------------ the council's
def test_areas_and_rents_are_those_of_the_council(rules: Rules, tables: dict[str, Table], tmp_path: Path) -> None:
    areas = {row["broad_rental_market_area"] for row in tables["rents"] if row["rent_rules"] == "local_housing_allowance"}
    assert areas == {"teesside"}
    made = sample(rules, council="north_hertfordshire", year="2025-26", out=tmp_path)
    found = read(made, "rents").to_pylist()
    private = [row for row in found if row["rent_rules"] == "local_housing_allowance"]
    assert {row["broad_rental_market_area"] for row in private} == {"stevenage_and_north_herts", "luton", "cambridge"}
    assert "council_within_rent_account" not in {row["tenure"] for row in found}

    def middle(rows: Table) -> Any:
        rents = sorted(row["rent"] for row in rows if row["rent_frequency"] == "monthly" and row["bedrooms"] == 2)
        return rents[len(rents) // 2]

    assert middle(private) > middle([row for row in tables["rents"] if row["rent_rules"] == "local_housing_allowance"]) * 3 / 2


def test_where_no_allowance_is_known_other_rules_are_drawn_and_it_is_said(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="hartlepool", year="2013-14", dwellings=5000, out=tmp_path)
    found = Counter(row["rent_rules"] for row in read(made, "rents").to_pylist() if row["tenure"] == "private_landlord")
    assert found["rent_officer"] > 50
    assert not found["local_housing_allowance"]
    assert any("rent officer" in note for note in made.notes)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("rents", "tenure"),
        ("rents", "rent_rules"),
        ("rents", "rent_frequency"),
        ("rents", "temporary_accommodation"),
        ("rents", "shared_rate_exception"),
        ("rents", "size_criteria_exemption"),
        ("charges", "charge_kind"),
        ("payments", "overpayment_class"),
    ],
)
def test_every_member_of_a_list_occurs(rules: Rules, tables: dict[str, Table], table: str, column: str) -> None:
    program = rules.council("redcar_and_cleveland").of("housing_benefit").program("2025-26")
    members = next(i for i in program.inputs.values() if column in (i.column, i.name)).type.members  # type: ignore[union-attr]
    assert set(members) <= {row[column] for row in tables[table]}


def test_claims_stand_on_and_beside_the_edges_of_deductions_from_the_rent(rules: Rules, tables: dict[str, Table]) -> None:
    program = rules.council("redcar_and_cleveland").of("housing_benefit").program("2025-26")
    edges = [edge for held, _ in program.tables["rent_deduction_in_work"].by_period[0].rows.values() for edge in held if edge]
    gross = {row["gross_income"] for row in tables["non_dependants"]}
    assert sum(edge in gross for edge in edges) >= 3


# ----------------------------------------------------------------------------------------------------------------- alone and in company
def test_council_tax_is_the_same_with_and_without_homes(rules: Rules, small: Summary, tmp_path: Path) -> None:
    alone = sample(rules, council="redcar_and_cleveland", year="2025-26", dwellings=5000, subjects=["council_tax"], out=tmp_path)
    assert not set(HOMES) & set(alone.tables)
    assert {name: table.digest for name, table in alone.tables.items()} == {
        name: small.tables[name].digest for name in small.of("council_tax").tables
    }


def test_homes_can_be_asked_for_alone(rules: Rules, small: Summary, tmp_path: Path) -> None:
    """Their claims are those of Council Tax, which is therefore made with them."""
    alone = sample(rules, council="redcar_and_cleveland", year="2025-26", dwellings=5000, subjects=["housing_benefit"], out=tmp_path)
    assert [part.subject for part in alone.parts] == ["council_tax"]
    assert {name: alone.tables[name].digest for name in HOMES} == {name: small.tables[name].digest for name in HOMES}


@pytest.mark.parametrize(
    ("council", "year"),
    [
        ("redcar_and_cleveland", "2025-26"),
        pytest.param("hartlepool", "2013-14", marks=pytest.mark.nightly),
        pytest.param("dorset", "2021-22", marks=pytest.mark.nightly),
    ],
)
def test_no_home_is_refused_for_want_of_a_fact(rules: Rules, council: str, year: str, tmp_path: Path) -> None:
    """In a year with all allowances, in one without any, and in one that begins before its April."""
    made = sample(rules, council=council, year=year, dwellings=5000, out=tmp_path / "caseload")
    found = rebill([rules.council(council)], year, made.folder, tmp_path / "out", subjects=["housing_benefit"])
    assert found.rejects == 0
    assert found.accounts[council] == made.tables["tenancies"].rows > 200


# ---------------------------------------------------------------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{tenure: council_tenant, universal_credit_maximum: blank}", "{tenure: council_tenants}", "tenure is never council_tenants"),
        ("{tenure: council_tenant, universal_credit_maximum: blank}", "{tenur: council_tenant}", "claims has no column tenur"),
        ("universal_credit_maximum: blank}, once: yes", "universal_credit_maximum: none}, once: yes", "it is blank or given"),
        ("chance: [kept, small_home]", "chance: [kept, small]", "not a share: small"),
        ("charge_kind: water, amount:", "charge_kind: water, sum:", "charges has no column sum"),
    ],
)
def test_a_mistake_in_what_is_brought_is_shown(own_rules: Path, old: str, new: str, says: str, tmp_path: Path) -> None:
    file = own_rules / "england" / "housing_benefit" / "sample.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RulesError) as refused:
        sample(load(own_rules), council="stevenage", year="2026-27", dwellings=100, out=tmp_path / "out")
    assert says in str(refused.value)
    assert "sample.yaml:" in str(refused.value)
