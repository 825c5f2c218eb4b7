"""The sample of business rates: of the published size, every situation in it, nothing that the rules reject."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rbcalc.caseload.importing import import_caseload
from rbcalc.rulebook.rules import Rules, load
from rbcalc.sampling import rows as _sample_rows
from rbcalc.sampling import sample as _sample
from rbcalc.sampling.sample import Summary, sample
from rbcalc_cli.main import outcome
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.source import RulesError
from sample.tables import Table, everything, read, sorted_rows

SUBJECT = "business_rates"
TABLES = ("rates_accounts", "hereditaments", "list_values", "occupations")
YEARS = ("2010-11", "2014-15", "2016-17", "2017-18", "2021-22", "2022-23", "2023-24", "2024-25", "2026-27")  # lists and schemes change

NOT_IN_EVERY_YEAR = {
    "shops_closed_by_law",
    "nurseries_of_one_company",
    "small_business_takes_another_on_the_day_of_the_longer_grace",
    "award_from_the_additional_fund",
    "improved",
    "improved_the_year_before",
    "improved_small_business",
    "part_occupied_and_improved",
    "reoccupied_after_a_year",
    "supported_by_scheme_2017",
    "supported_by_scheme_2023",
    "supported_by_extension_of_2023",
    "supported_by_scheme_2026",
    "supported_to_a_recorded_limit",
    "supported_and_then_empty",
}


def program_of(rules: Rules, council: str, year: str) -> Program:
    return rules.council(council).of(SUBJECT).program(year)


@pytest.fixture(scope="session")
def rates(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The smallest council in which every case must occur."""
    folder = tmp_path_factory.mktemp("rates")
    return sample(rules, council="stevenage", year="2026-27", subjects=[SUBJECT], hereditaments=1500, out=folder)


@pytest.fixture(scope="session")
def tables(rates: Summary) -> dict[str, Table]:
    return {name: read(rates, name).to_pylist() for name in rates.tables}


# ------------------------------------------------------------------------------------------------------------------------------- numbers
def test_the_partnership_with_a_table_of_sizes_has_as_many_hereditaments(westwey: Summary) -> None:
    made = westwey.of(SUBJECT)
    assert made.counts == {"west_dorset": 4639, "weymouth_and_portland": 2626}
    assert len(set(read(westwey, "hereditaments")["hereditament"].to_pylist())) == 4639 + 2626
    told = westwey.manifest["subjects"][SUBJECT]["councils"]["west_dorset"]
    assert (told["hereditaments"], told["from"]) == (4639, "business_properties.value")


def test_where_nothing_is_published_there_is_a_share_of_the_dwellings(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="hartlepool", year="2026-27", subjects=[SUBJECT], out=tmp_path)
    assert made.total == round(46_140 * 0.078)
    assert made.manifest["subjects"][SUBJECT]["councils"]["hartlepool"]["from"].endswith("of 2025, not published")


def test_hereditaments_follow_the_dwellings_that_are_asked_for(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, partnership="westwey", dwellings=10_000, out=tmp_path / "a")
    assert sum(made.of(SUBJECT).counts.values()) == round(10_000 * (4639 + 2626) / (46_261 + 29_236))
    both = sample(rules, partnership="westwey", dwellings=200, hereditaments=300, out=tmp_path / "b")
    assert (both.total, sum(both.of(SUBJECT).counts.values())) == (200, 300)


def test_most_values_are_small_and_few_are_great(rates: Summary, tables: dict[str, Table]) -> None:
    values = [row["value_at_start"] for row in tables["list_values"] if row["value_at_start"] is not None]
    share = {limit: sum(value > limit for value in values) / len(values) for limit in (12_000, 50_999, 100_000, 500_000)}
    assert 0.3 < share[12_000] < 0.5
    assert 0.05 < share[50_999] < 0.15
    assert 0.02 < share[100_000] < 0.1
    assert 0 < share[500_000] < 0.03
    assert sum(rates.members["stevenage"].values()) == 1500


def test_a_subject_is_the_same_alone_and_beside_another(rules: Rules, rates: Summary, tmp_path: Path) -> None:
    both = sample(rules, council="stevenage", year="2026-27", dwellings=300, hereditaments=1500, out=tmp_path)
    assert {part.subject for part in both.parts} == {"council_tax", SUBJECT}
    assert {name: both.tables[name].digest for name in TABLES} == {name: rates.tables[name].digest for name in TABLES}


def test_twice_the_same_bytes(rules: Rules, rates: Summary, tmp_path: Path) -> None:
    sample(rules, council="stevenage", year="2026-27", subjects=[SUBJECT], hereditaments=1500, out=tmp_path)
    assert everything(tmp_path) == everything(rates.folder)


def test_rules_of_one_subject_make_its_sample(rates: Summary, tmp_path: Path) -> None:
    made = sample(load(subject=SUBJECT), council="stevenage", year="2026-27", hereditaments=1500, out=tmp_path)
    assert everything(made.folder) == everything(rates.folder)


def test_years_that_only_one_subject_has_rules_of_have_it_alone(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="stevenage", year="2011-12", hereditaments=40, out=tmp_path)
    assert tuple(made.tables) == TABLES


def test_many_files_hold_the_same_rows_as_one(rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sample_rows, "CHUNK", 300)
    asked: dict[str, Any] = {"partnership": "westwey", "hereditaments": 1500, "subjects": [SUBJECT]}
    one = sample(rules, **asked, out=tmp_path / "one")
    monkeypatch.setattr(_sample, "LARGE", 1000)
    many = sample(rules, **asked, out=tmp_path / "many")
    for name, table in many.tables.items():
        assert len(table.files) == 6
        assert sorted_rows(read(one, name)) == sorted_rows(read(many, name))


def test_a_failure_leaves_no_table_of_the_subject_before(rules: Rules, tmp_path: Path) -> None:
    def stop(done: int, whole: int) -> None:
        if done == whole:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(rules, council="stevenage", dwellings=200, out=tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hereditaments", [1, 7, 60])
def test_a_handful_of_hereditaments_can_be_made(rules: Rules, hereditaments: int, tmp_path: Path) -> None:
    made = sample(rules, council="stevenage", subjects=[SUBJECT], hereditaments=hereditaments, out=tmp_path)
    assert len(set(read(made, "hereditaments")["hereditament"].to_pylist())) == hereditaments


# ---------------------------------------------------------------------------------------------------------------------------- situations
def test_every_situation_of_the_year_occurs(rates: Summary) -> None:
    none = {name for name, (count, _) in rates.situations["stevenage"].items() if not count}
    assert none - NOT_IN_EVERY_YEAR - {"occupied", "occupied_without_an_earlier_value"} == set()
    assert not {"improved", "supported_by_scheme_2026", "supported_by_extension_of_2023"} & none


def test_every_situation_occurs_in_some_year(rules: Rules, tmp_path: Path) -> None:
    seen: set[str] = set()
    for year in ("2014-15", "2017-18", "2021-22", "2024-25", "2026-27"):
        made = sample(rules, council="stevenage", year=year, subjects=[SUBJECT], out=tmp_path / year)
        seen |= {name for name, (count, _) in made.situations["stevenage"].items() if count}
    assert seen >= NOT_IN_EVERY_YEAR | {"occupied", "occupied_without_an_earlier_value"}


@pytest.mark.parametrize(
    ("table", "column", "left_out"),
    [
        ("hereditaments", "rating_use", set()),
        ("hereditaments", "rural_kind", {"not_rural"}),
        ("occupations", "empty_exemption", set()),
        ("occupations", "ratepayer_kind", set()),
        ("occupations", "supported_by", {"scheme_2017", "scheme_2023"}),
    ],
)
def test_every_member_of_a_list_occurs(rules: Rules, tables: dict[str, Table], table: str, column: str, left_out: set[str]) -> None:
    inputs = program_of(rules, "stevenage", "2026-27").inputs.values()
    members = next(given for given in inputs if column in (given.column, given.name)).type.members  # type: ignore[union-attr]
    found = Counter(row[column] for row in tables[table])
    assert {member for member in members if not found[member]} <= left_out


def test_every_fact_is_given_somewhere(tables: dict[str, Table]) -> None:
    blank = {f"{name}.{column}" for name, rows in tables.items() for column in rows[0] if all(row[column] is None for row in rows)}
    past = {"rates_accounts.additional_relief_award", "occupations.closed_by_law", "occupations.reoccupied_since"}
    worked_out = {"list_values.recorded_limit"}  # by an officer, from accounts of others
    assert blank == past | worked_out | {"list_values.to"}


def test_several_accounts_have_one_ratepayer(rates: Summary, tables: dict[str, Table]) -> None:
    held: dict[str, set[str]] = defaultdict(set)
    for row in tables["rates_accounts"]:
        held[row["ratepayer"]].add(row["hereditament"])
    sizes = Counter(len(hereditaments) for hereditaments in held.values())
    assert sizes[2] > 20 and sizes[3] > 5 and sizes[9] >= 1 and sizes[12] >= 1 and sizes[20] >= 1
    assert sizes[1] > 1000


def test_several_shops_of_a_chain_are_worth_more_than_the_cash_cap(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="hartlepool", year="2024-25", subjects=[SUBJECT], out=tmp_path)
    values = {row["hereditament"]: row for row in read(made, "hereditaments").to_pylist()}
    chains: dict[str, list[int]] = defaultdict(list)
    for row in read(made, "rates_accounts").to_pylist():
        shop = values[row["hereditament"]]
        if shop["rating_use"] in ("retail", "hospitality", "leisure", "public_house"):
            chains[row["ratepayer"]].append(shop["rateable_value"])
    assert sum(sum(shops) * 0.499 * 0.75 > 110_000 for shops in chains.values() if len(shops) > 3) >= 2


def test_a_ratepayer_who_comes_back_is_the_same(tables: dict[str, Table]) -> None:
    at: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for row in tables["rates_accounts"]:
        at[row["hereditament"]].append((row["from"], row["ratepayer"]))
    three = [[name for _, name in sorted(rows)] for rows in at.values() if len(rows) == 3]
    assert any(first == last != between for first, between, last in three)
    assert any(len({first, between, last}) == 3 for first, between, last in three)


def test_values_stand_on_and_beside_their_limits(tables: dict[str, Table]) -> None:
    found = Counter(row["rateable_value"] for row in tables["hereditaments"])
    limits = (6000, 12_000, 12_001, 15_000, 2599, 2600, 2899, 2900, 8500, 8501, 12_500, 12_501, 50_999, 51_000, 0)
    assert [value for value in limits if not found[value]] == []


def test_the_command_makes_one_subject_or_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["sample", "--council", "stevenage", "--year", "2026-27", "--out", str(tmp_path / "made")]
    assert outcome([*asked, "--subject", SUBJECT, "--hereditaments", "30"]) == 0
    said = capsys.readouterr()
    assert "Business rates 2026-27" in said.out and "Council Tax" not in said.out
    assert sorted(file.stem for file in (tmp_path / "made").glob("*.parquet")) == sorted(TABLES)
    assert outcome([*asked, "--dwellings", "60", "--hereditaments", "30", "--force", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["subjects"][SUBJECT]["councils"]["stevenage"]["hereditaments"] == 30
    assert outcome([*asked, "--subject", SUBJECT, "--dwellings", "30", "--force"]) == 2
    assert "no dwellings are made" in capsys.readouterr().err


# -------------------------------------------------------------------------------------------------------------------------- what is made
@pytest.mark.parametrize("year", YEARS)
def test_the_reader_takes_every_row(rules: Rules, year: str, tmp_path: Path) -> None:
    made = sample(rules, council="stevenage", year=year, subjects=[SUBJECT], hereditaments=1500, out=tmp_path)
    found = import_caseload(made.folder, program_of(rules, "stevenage", year), council="stevenage")
    assert found.complete and found.notes == ()
    assert {name: count.used for name, count in found.counts.items()} == {name: table.rows for name, table in made.tables.items()}


def test_no_account_lacks_what_the_rules_need(rules: Rules, rates: Summary) -> None:
    run = rules.council("stevenage").of(SUBJECT).calculate(rates.folder, "2026-27")
    assert run.rejects.num_rows == 0
    assert run.bills.num_rows == rates.tables["rates_accounts"].rows
    lines = ("transition_reduction", "mandatory_total", "support_total", "funded_total", "part_occupation_total", "hardship_total")
    assert [line for line in lines if not any(run.bills[line].to_pylist())] == []
    assert Decimal(0) in run.bills["bill"].to_pylist()


def test_both_subjects_are_read_from_one_folder(rules: Rules, small: Summary) -> None:
    for subject in ("council_tax", SUBJECT):
        program = rules.council("redcar_and_cleveland").of(subject).program("2025-26")
        assert import_caseload(small.folder, program, council="redcar_and_cleveland").complete


def test_rows_are_wrong_on_purpose_only_where_it_was_said(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="west_dorset", year="2014-15", subjects=[SUBJECT], with_errors=True, with_names=True, out=tmp_path)
    assert len(made.wrong) == 10
    found = import_caseload(made.folder, program_of(rules, "west_dorset", "2014-15"), council="west_dorset", keep_private=True)
    own = Counter((row["table"], row["column"]) for row in found.rejects.to_pylist() if "belongs with it" not in row["reason"])
    assert {
        ("hereditaments", "rating_use"): 2,
        ("hereditaments", "rateable_value"): 1,
        ("list_values", "value_before"): 1,
        ("occupations", "occupation_state"): 1,
        ("occupations", "rates_account"): 1,
        ("occupations", "to"): 1,
        ("rates_accounts", "hardship_remission"): 1,
        ("rates_accounts", "rates_account"): 3,  # one of them has no occupation any more
    }.items() <= own.items()


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("share: 16.83%}", "share: 16%}", "RB037", "do not add up to 100%"),
        ("{is: £100 to £2899", "{of: £100 to £2899", "RB035", "unknown key 'of'"),
        ("  things: hereditaments", "  thing: hereditaments", "RB035", "unknown key 'thing'"),
        ("    gathers: 2\n", "    gathers: two\n", "RB037", "expected a whole number"),
        ("value_at_start: own}]", "value_at_start: owned}]", "RB037", "not a figure of this fact"),
        ("ratepayer: 0}", "ratepayer: first}", "RB037", "expected a whole number"),
    ],
)
def test_a_mistake_in_the_sample_file_is_shown_where_it_is(
    own_rules: Path, old: str, new: str, code: str, says: str, tmp_path: Path
) -> None:
    file = own_rules / "england" / "business_rates" / "sample.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RulesError) as refused:
        sample(load(own_rules), council="stevenage", year="2026-27", subjects=[SUBJECT], out=tmp_path / "out")
    assert code in [d.code for d in refused.value.diagnostics]
    assert says in str(refused.value)
